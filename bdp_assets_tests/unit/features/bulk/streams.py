"""Streams and catalogs that keep buckets busy."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import AGGREGATES
from bdp_assets.features.spec import CUSTOMER, CUSTOMER_MERCHANT, MERCHANT, Catalog, WindowFeature
from bdp_assets.features.times import ALL_HISTORY, HOUR, MINUTE
from bdp_assets_tests.unit.features.frames import transaction_frame
from bdp_assets_tests.unit.features.strategies import AMOUNT, START, transaction


def every_window() -> Catalog:
    """Every aggregate of every entity, over an hour and over all history."""
    asked = [
        (entity, name, window)
        for entity in (CUSTOMER, CUSTOMER_MERCHANT, MERCHANT)
        for name, one in AGGREGATES.items()
        for window in (HOUR, ALL_HISTORY)
        if (one.tiles if entity.state == "tiles" else not one.of_run)
        if one.all_history or window != ALL_HISTORY
    ]
    return Catalog(
        tuple(
            WindowFeature(
                name=f"f{number}",
                entity=entity,
                aggregate=aggregate,
                column={"number": AMOUNT, "id": "merchant_id", None: None}[AGGREGATES[aggregate].column],
                filter="high_value" if AGGREGATES[aggregate].needs_filter else None,
                window=window,
                hop=10 * MINUTE if AGGREGATES[aggregate].of_run else None,
                unit="-",
                description="-",
            )
            for number, (entity, aggregate, window) in enumerate(asked)
        )
    )


def busy_stream(rows: int, step: int) -> pl.DataFrame:
    """Two customers with thirty merchants, up to `step` ms between two transactions, some of them twice."""
    draw = np.random.default_rng(7)
    moments = START + np.cumsum(draw.integers(0, step, rows))
    return transaction_frame(
        [
            transaction(
                number if draw.random() < 0.95 else number // 2,
                ts_ms,
                int(draw.integers(0, 100_000)),
                customer=f"c{draw.integers(2)}",
                merchant=f"m{draw.integers(30)}",
            )
            for number, ts_ms in enumerate(moments.tolist())
        ]
    )


def busy_merchant(rows: int, step: int) -> pl.DataFrame:
    """The same with forty customers, of which two thirds of the transactions are at one merchant."""
    draw = np.random.default_rng(8)
    hot = pl.Series(draw.random(rows) < 0.67)
    customers = pl.Series([f"c{one}" for one in draw.integers(0, 40, rows).tolist()])
    return busy_stream(rows, step).with_columns(
        merchant_id=pl.when(hot).then(pl.lit("hot")).otherwise("merchant_id"), customer_id=customers
    )


def label_some(frame: pl.DataFrame, delay: int) -> pl.DataFrame:
    """Every seventh transaction is a fraud, known `delay` ms later."""
    return frame.gather_every(7).select(
        "transaction_id", "customer_id", is_fraud=pl.lit(True), known_at_ms=pl.col("ts_ms") + delay
    )
