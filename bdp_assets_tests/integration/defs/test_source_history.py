"""`bdp ingest NAME --to lake`: a declared source as the past, by the history door."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.operations.ingest.to_lake import choose, outcome
from bdp_assets.runtime import profile
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import get_settings
from bdp_assets_tests.unit.defs.conftest import run
from bdp_assets_tests.unit.ingest.sources.entries import HEADER, row, write

BAD, GOOD = 3, 27
DAY = date(2026, 2, 3)


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BDP_HOME without a past, but with a source whose file has a separator of its own."""
    monkeypatch.delenv("BDP_HISTORY_FILE")
    write(home, location="shop.csv.gz", delimiter=";")
    text = HEADER + "".join(row(n, "-1" if n < BAD else "1250") for n in range(BAD + GOOD))
    text = text.replace("15/01/2024", f"{DAY:%d/%m/%Y}").replace(",", ";")
    (home / "sources" / "shop.csv.gz").write_bytes(gzip.compress(text.encode()))
    get_settings.cache_clear()
    return home


def test_the_source_is_remembered_and_its_days_are_backfilled(
    shop: Path, lake: Lake, instance: dg.DagsterInstance
) -> None:
    chosen = choose(get_settings(), "shop")
    assert chosen.history_source == get_settings().history_source == "shop"
    assert run(instance, "history_backfill", DAY, DAY).success
    passed, refused = outcome(lake)
    assert (passed, dict(refused)) == (GOOD, {"out_of_range amount": BAD})
    assert lake.read("validated")["currency"].unique().to_list() == ["EUR"]
    assert choose(get_settings(), "shop").history_source == "shop", "chosen twice is chosen"


def test_a_lake_has_one_past(shop: Path) -> None:
    profile.remember(shop, {"BDP_HISTORY_FILE": "other.csv"})
    get_settings.cache_clear()
    with pytest.raises(Problem, match="has another past already"):
        choose(get_settings(), "shop")


def test_a_pattern_is_no_past(shop: Path) -> None:
    write(shop, location="shop-*.csv")
    with pytest.raises(MappingError, match="is no history: that is one file"):
        choose(get_settings(), "shop")
    assert get_settings().history_source is None
