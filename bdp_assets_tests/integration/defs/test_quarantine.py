"""Refused rows of a file: fixed, released through killed runs, and then as if the file had been right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.corrections import CORRECTED
from bdp_assets.operations import materialize
from bdp_assets.settings import get_settings
from bdp_assets_tests.unit.defs.conftest import run, sorted_rows

EVERY = 20
"""Every so many rows, one whose amount the contract refuses."""
LOST_TIME = 101
"""A row whose time can not be read: it waits under the file's first day."""
FIXES = """
fixes:
  - when: {error: out_of_range, field: amount}
    set: {amount: 12}
  - when: {error: bad_format, field: timestamp}
    set: {timestamp: "TIME"}
"""
DIES_BETWEEN_RAW_AND_CLEAN = """
import os, signal
import dagster as dg
from bdp_assets.cli.main import app
from bdp_assets.ingest import validation
from bdp_assets.operations import materialize
from bdp_assets_tests.unit.defs.conftest import run

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def history(settings, days, *, again, screen):
    with dg.DagsterInstance.ephemeral() as instance:
        run(instance, "history_backfill", *days)

materialize.history = history
validation.validate = die
app(["quarantine", "release", "--all", "--by", "ann"])
"""


def bdp(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["quarantine", *arguments])


@pytest.fixture
def files(history: Path, tmp_path: Path) -> dict[str, Path]:
    """The past with bad rows, and as it should have been."""
    rows = pl.read_parquet(history / "transactions.parquet").with_row_index("n")
    bad = pl.col("n") % EVERY == 0
    written = {"broken": ("-5", "some day"), "mended": ("12", rows["timestamp"][LOST_TIME])}
    paths = {}
    for name, (amount, time) in written.items():
        paths[name] = tmp_path / name / "transactions.parquet"
        paths[name].parent.mkdir()
        rows.with_columns(
            amount=pl.when(bad).then(pl.lit(amount)).otherwise("amount"),
            timestamp=pl.when(n=LOST_TIME).then(pl.lit(time)).otherwise("timestamp"),
        ).drop("n").write_parquet(paths[name])
        (paths[name].parent / "labels.parquet").write_bytes((history / "labels.parquet").read_bytes())
    return paths


def backfill(instance: dg.DagsterInstance, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_HISTORY_FILE", str(file))
    get_settings.cache_clear()
    assert run(instance, "history_backfill").success


def outcome(lake: Lake) -> dict[str, pl.DataFrame]:
    return {table: sorted_rows(lake, table) for table in ("validated", "enriched", "features")}


def test_killed_and_done_again_the_lake_is_as_if_the_file_had_been_right(
    files: dict[str, Path],
    lake: Lake,
    home: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backfill(instance, files["broken"], monkeypatch)
    refused = sorted_rows(lake, "quarantined")
    bad = len(refused)
    assert bad == lake.count("raw") // EVERY + 1
    fixes = home / "fixes.yaml"
    time = pl.read_parquet(files["mended"])["timestamp"][LOST_TIME]
    fixes.write_text(FIXES.replace("TIME", time))
    done = bdp("fix", "--with", str(fixes), "--all")
    assert done.exit_code == 0, done.output
    before = outcome(lake)

    killed = subprocess.run([sys.executable, "-c", DIES_BETWEEN_RAW_AND_CLEAN], env=os.environ, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert lake.read("raw").filter(topic=CORRECTED).height == bad, "it died on the way"
    assert outcome(lake)["validated"].equals(before["validated"])
    assert "releasing" in bdp("list", "--status", "releasing").output

    monkeypatch.setattr(
        materialize, "history", lambda _, days, **__: run(instance, "history_backfill", *days)
    )
    told = bdp("release", "--all")

    assert told.exit_code == 0, told.output
    released, records = outcome(lake), lake.read("corrections").filter(action="released")
    assert len(records) == bad, "recorded by the one that died, and by nobody else"
    assert sorted_rows(lake, "quarantined").equals(refused), "the originals stay"
    version = lake.version("raw")
    assert bdp("release", "--all").exit_code == 0
    assert lake.version("raw") == version, "a second release does nothing"

    backfill(instance, files["mended"], monkeypatch)
    assert lake.read("quarantined")["error"].to_list() == ["duplicate"] * bad, "now the file has them"
    for table, rows in outcome(lake).items():
        assert released[table].equals(rows), table


def test_what_was_lost_between_raw_and_clean_is_not_published(
    files: dict[str, Path], lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bdp_assets.ingest import validation

    whole = validation.validate

    def forgetful(*arguments: object) -> validation.Validated:
        found = whole(*arguments)  # type: ignore[arg-type]
        return validation.Validated(found.transactions.head(-1), found.refused)

    monkeypatch.setattr(validation, "validate", forgetful)
    monkeypatch.setenv("BDP_HISTORY_FILE", str(files["mended"]))
    get_settings.cache_clear()
    result = run(instance, "history_backfill")
    assert not result.success
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed.check_name == "transactions_reconciled"
    assert not lake.exists("validated")
    assert not lake.exists("enriched")
