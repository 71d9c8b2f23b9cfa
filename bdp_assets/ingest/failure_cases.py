"""Refused rows as people look at them: a few of each reason, with the masked row itself."""

from __future__ import annotations

from base64 import b64decode

import polars as pl

from bdp_assets.contracts.dead_letters import printable

OF_EACH = 3
MOST = 30
WIDTH = 200
"""Characters of a row that are shown; `bdp quarantine show` and `bdp dlq show` have all."""
REASON = ["error", "field"]


def reasons(refused: pl.DataFrame) -> pl.DataFrame:
    """Columns error, field, rows, message (of the first): rows of `quarantined` by reason, most first."""
    counts = refused.group_by(REASON).agg(rows=pl.len(), message=pl.col("message").first())
    return counts.sort("rows", *REASON, descending=[True, False, False])


def failure_cases(refused: pl.DataFrame) -> pl.DataFrame:
    """Columns source, offset, error, field, message, row: the first rows of each reason, up to a bound.

    `row` is the text as it was kept, so card numbers are masked; bytes that are no text are spelled out.
    """
    first = refused.group_by(REASON, maintain_order=True).head(OF_EACH).head(MOST)
    return first.select(
        source="source_topic",
        offset="source_offset",
        error="error",
        field="field",
        message="message",
        row=pl.Series([_on_one_line(value) for value in first["value_base64"]], dtype=pl.String),
    )


def _on_one_line(value_base64: str) -> str:
    text = " ".join(printable(b64decode(value_base64)).split())
    return text if len(text) <= WIDTH else text[:WIDTH] + " ..."
