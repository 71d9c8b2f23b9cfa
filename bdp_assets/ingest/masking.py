"""Card numbers in rows of the table `raw`: masked before they are kept, their keyed hashes beside them."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from bdp_assets.contracts.columns import RAW
from bdp_assets.contracts.pan import SHORTEST, mask_pans

HASHES = "pan_hashes"
PLACE, MASKED, FOUND = "place", "masked", "found"
_FOUND = pl.Schema({PLACE: pl.UInt32(), MASKED: pl.String(), FOUND: RAW[HASHES]})
_MANY_DIGITS_OR_ESCAPES = rf"[0-9](?:[ -]*[0-9]){{{SHORTEST - 1},}}|\\u[0-9A-Fa-f]{{4}}"


def masked(raw: pl.DataFrame, pan_key: bytes) -> pl.DataFrame:
    """The same rows without card numbers; rows that an earlier version wrote get the column of hashes too."""
    if HASHES not in raw.columns:
        raw = raw.with_columns(pl.lit(None, RAW[HASHES]).alias(HASHES))
    found = pl.DataFrame(_found(raw["value"], pan_key), _FOUND, orient="row")
    if found.is_empty():
        return raw
    return (
        raw.with_row_index(PLACE)
        .join(found, on=PLACE, how="left", maintain_order="left")
        .with_columns(pl.coalesce(MASKED, "value").alias("value"), pl.coalesce(FOUND, HASHES).alias(HASHES))
        .select(raw.columns)
    )


def _found(values: pl.Series, pan_key: bytes) -> Iterator[tuple[int, str, list[str]]]:
    # Few values have twelve digits in a row, or escapes that may hide some: only they are worth a look.
    for place in values.str.contains(_MANY_DIGITS_OR_ESCAPES).fill_null(value=False).arg_true():
        value, hashes = mask_pans(values[place].encode(), pan_key)
        if hashes:
            yield place, value.decode(), hashes
