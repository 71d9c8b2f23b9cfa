"""The parity check of lesson 9: the page's oracle agrees with the engine; a misread word is found."""

from __future__ import annotations

import re

import polars as pl
import pytest

from bdp_assets.features.times import HOUR
from bdp_assets.operations.learn import own_feature
from bdp_assets.operations.learn.course import find
from bdp_assets.operations.learn.lesson import Missing, folder
from bdp_assets.project import PROJECT
from bdp_assets.settings import Settings

TIMES = (0, 1, HOUR, 3 * HOUR - 1, 3 * HOUR, 3 * HOUR, 3 * HOUR + 1, 7 * HOUR)


def on_the_page() -> str:
    [written] = re.findall(
        r"<<'PY'\n(.*?)^PY$", (PROJECT / find(9).page).read_text(), re.DOTALL | re.MULTILINE
    )
    return str(written)


def rows() -> pl.DataFrame:
    """Two customers, with events on the window's edges and at the same moment."""
    places = [(customer, i, ts) for customer in ("c1", "c2") for i, ts in enumerate(TIMES)]
    return pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for _, i, _ in places],
            "customer_id": [customer for customer, _, _ in places],
            "ts_ms": [1_700_000_000_000 + ts for _, _, ts in places],
            "amount_base_minor": [100] * len(places),
            "merchant_id": [None if i == 1 else f"m{i % 4}" for _, i, _ in places],
        }
    )


def found(settings: Settings, monkeypatch: pytest.MonkeyPatch, code: str) -> list[Missing]:
    folder(settings).mkdir(parents=True, exist_ok=True)
    (folder(settings) / own_feature.FILE).write_text(code)
    monkeypatch.setattr(own_feature, "_some_rows", lambda _: rows())
    return list(own_feature.look(settings))


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(_env_file=None, home=tmp_path_factory.mktemp("home"))  # type: ignore[call-arg]


def test_the_page_is_right(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(settings, monkeypatch, on_the_page()) == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('< row["ts_ms"]]', '<= row["ts_ms"]]', "differ in"),
        ("3 * HOUR + 1\n", "3 * HOUR\n", "differ in"),
        ("def oracle", "def orakel", "does not define oracle"),
        ('"customer_merchants_3h"', '"customer_merchants_1h"', "in the catalog already"),
        ('column="merchant_id"', 'column="merchnt_id"', "SpecError"),
    ],
)
def test_what_is_wrong_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, told: str
) -> None:
    code = on_the_page()
    assert right in code
    assert told in " ".join(one.what for one in found(settings, monkeypatch, code.replace(right, wrong)))


def test_without_a_file_it_says_where_it_belongs(settings: Settings) -> None:
    [missing] = own_feature.look(settings)
    assert str(folder(settings) / own_feature.FILE) in missing.what
