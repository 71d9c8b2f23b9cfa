from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.ingest.source import HistoryMissing
from bdp_assets.operations.demo.history import (
    LEAST_TRAIN_DAYS,
    OwnFile,
    Simulated,
    least_days,
    settle,
    summary,
)
from bdp_assets.runtime import profile
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings
from bdp_assets.training.split import DAY_MS, Split


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("BDP_HOME", str(home))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def own(folder: Path, name: str = "own.csv") -> OwnFile:
    rows = [f"t{day},c1,9.50,2026-02-{day:02}T10:00:00Z" for day in range(1, 11)]
    file = folder / name
    file.write_text("\n".join(["transaction_id,customer_id,amount,timestamp", *rows]) + "\n")
    columns = ("transaction_id", "customer_id", "merchant_id", "ts_ms", "is_fraud", "known_at_ms")
    pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).write_parquet(folder / "labels.parquet")
    return OwnFile(file, until=date(2026, 2, 7))


def test_a_simulated_past_is_made_once_and_told(settings: Settings) -> None:
    past = Simulated(days=35, customers=20, merchants=30)
    settled = settle(settings, past)
    file = settings.home / "history" / "transactions.parquet"
    made = file.stat().st_mtime_ns
    assert settle(settings, past) == settled
    assert file.stat().st_mtime_ns == made
    assert "transactions.parquet" in summary(settled)
    assert "live traffic" not in summary(settled)


def test_a_past_that_is_too_short_to_train_on_is_refused_before_anything_is_made(settings: Settings) -> None:
    """The split of the shortest one allowed has as many days to be fitted on as the message says."""
    least = least_days(settings.label_delay_days)
    split = Split.before(least * DAY_MS, delay_days=settings.label_delay_days)
    assert split.train_end_ms == LEAST_TRAIN_DAYS * DAY_MS
    with pytest.raises(Problem, match=f"{least - 1} days of history"):
        settle(settings, Simulated(days=least - 1, customers=20, merchants=30))
    assert not (settings.home / "history").exists()


def test_ports_that_are_remembered_are_no_past(settings: Settings) -> None:
    profile.remember(settings.home, {"BDP_API_PORT": "5101"})
    settled = settle(settings, Simulated(days=35, customers=20, merchants=30))
    assert settled.history_until is not None
    assert settled.api_port == 5101


def test_what_comes_after_the_past_of_a_file_is_live_traffic(settings: Settings, tmp_path: Path) -> None:
    told = summary(settle(settings, own(tmp_path)))
    assert "10 transactions of 2026-02-01..2026-02-10 in own.csv" in told
    assert told.endswith("what comes after 2026-02-07 is live traffic")


def test_another_file_or_another_mapping_is_another_past(settings: Settings, tmp_path: Path) -> None:
    first = own(tmp_path)
    settle(settings, first)
    settle(settings, first)
    settle(settings, None)
    mapped = OwnFile(first.file, tmp_path / "mapping.yaml", first.until)
    for other in (own(tmp_path, "other.csv"), mapped):
        with pytest.raises(Problem, match="another data set or mapping"):
            settle(settings, other)


def test_labels_that_are_missing_are_told_before_anything_starts(settings: Settings, tmp_path: Path) -> None:
    settled = settle(settings, own(tmp_path))
    (tmp_path / "labels.parquet").unlink()
    with pytest.raises(HistoryMissing, match=r"labels\.parquet"):
        summary(settled)
