"""`bdp quarantine`: what is typed wrong is told before anything is read or changed."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("release", "name places"),
        ("release 2026-02-03:1 --all", "name places"),
        ("release 3:17", "DAY:OFFSET"),
        ("show here", "DAY:OFFSET"),
        ("list --status closed", "one of open"),
        ("list --from yesterday", "--from"),
        ("fix --all", "--with"),
        ("fix --all --with nowhere.yaml", "does not exist"),
    ],
)
def test_it_says_what_to_type(typed: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["quarantine", *typed.split()])
    assert done.exit_code == 2, done.output
    assert says in done.output
