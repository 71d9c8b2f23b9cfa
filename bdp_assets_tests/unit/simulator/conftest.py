"""One world for all tests here: 45 days of 400 customers."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from bdp_assets.simulator.world import EPOCH, History, World

END = date(2026, 3, 1)
DAYS = 45


@pytest.fixture(scope="session")
def world() -> World:
    return World(seed=11, customers=400, merchants=600)


@pytest.fixture(scope="session")
def history(world: World) -> History:
    return world.history(END, DAYS)


@pytest.fixture(scope="session")
def truth(world: World) -> pl.DataFrame:
    """Drafts of the same days, with the kind of each transaction."""
    last = (END - EPOCH).days
    return pl.concat([world.day(day) for day in range(last - DAYS, last)])
