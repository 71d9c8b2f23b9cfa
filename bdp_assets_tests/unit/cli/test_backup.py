"""`bdp backup` and `bdp restore` say what is in the way, and what they have done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.backup_lines import restored_line, taken_line
from bdp_assets.cli.main import app
from bdp_assets.operations.backup.manifest import Manifest
from bdp_assets.settings import get_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("command", "says"), [("backup", "There is no platform in"), ("restore", "is no backup")]
)
def test_nothing_to_copy_is_told_and_nothing_is_made(tmp_path: Path, command: str, says: str) -> None:
    done = CliRunner().invoke(app, [command, str(tmp_path / "kept")])
    assert done.exit_code == 1
    assert says in done.output
    assert list(tmp_path.iterdir()) == []


def made(lag: dict[str, int]) -> Manifest:
    counts = {
        "postgres": {"bdp.public.a": 3, "bdp.public.b": 4},
        "topics": {"raw:id:0": 1_000},
        "lake": {"raw rows": 900, "raw version": 12},
    }
    return Manifest(
        taken_ms=0, seconds_down=41.6, versions={}, counts=counts, lag=lag, entries=[], sha256={"a": "0"}
    )


def test_what_is_held_is_summed_up() -> None:
    said = taken_line(made({}), Path("/kept"))
    assert "1 files, 0 MB; 7 rows in PostgreSQL, 1,000 offsets in Kafka, 900 rows in the lake" in said
    assert "stopped for 42 s" in said
    assert "On its way" not in said


def test_what_was_on_its_way_is_named() -> None:
    for said in (
        taken_line(made({"lake": 5}), Path("/kept")),
        restored_line(made({"lake": 5, "bdp-labels": 0})),
    ):
        assert "On its way then: lake 5. " in said
    assert "As of 1970-01-01 00:00:00 UTC" in said
