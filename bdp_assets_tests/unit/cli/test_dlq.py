"""`bdp dlq`: what is typed wrong is told before anything is asked or sent."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("replay", "name places"),
        ("replay 3:17 --error not_json", "name places"),
        ("replay 3:17 --all", "name places"),
        ("replay 3-17", "PARTITION:OFFSET"),
        ("show here", "PARTITION:OFFSET"),
        ("list --since yesterday", "write 90m"),
        ("list --status closed", "one of open"),
        ("list --source-topic nowhere", "bdp topics list"),
        ("replay --all --fix nowhere.yaml", "does not exist"),
    ],
)
def test_it_says_what_to_type(typed: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["dlq", *typed.split()])
    assert done.exit_code == 2, done.output
    assert says in done.output
