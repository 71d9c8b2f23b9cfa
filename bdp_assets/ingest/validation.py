"""The history door of validation: raw rows become validated rows, or quarantined ones with the reason."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import polars as pl

from bdp_assets.contracts import columns
from bdp_assets.contracts.dead_letters import content
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import DeadLetter, Door, ValidatedTransaction
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.observability.milestones import Milestone, Say, quietly

CHUNK = 20_000
PARALLEL_FROM = 300_000
"""Rows from which a second process pays for its start."""
PROCESSES = 2

SOURCE = "history"
"""`source_topic` of quarantined rows that came from a file; their offset is the row's place in its day."""
KEY = ["customer_id", "transaction_id"]
PLACE = "place"
FAULT = pl.Schema({PLACE: pl.Int64(), "error": pl.String(), "field": pl.String(), "message": pl.String()})
DUPLICATE = "The customer's transaction_id came before, with the same body. Nothing to do."
CONFLICT = "The customer's transaction_id came before, with another body. Send it under its own id."

Part = tuple[pl.DataFrame, pl.DataFrame]
"""Validated rows and their places; faults."""


@dataclass(frozen=True)
class Validated:
    """Rows of the tables `validated` and `quarantined`: together, one for each raw row."""

    transactions: pl.DataFrame
    refused: pl.DataFrame


def validate(raw: pl.DataFrame, pan_key: bytes, say: Say = quietly) -> Validated:
    """Check rows of the table `raw` against the contract, then refuse repeated transactions.

    Of several rows with the same customer and transaction_id the first stays; the others are refused as
    `duplicate` or `conflict`, as the online store does with streamed ones. The clock of a row's checks is its
    `received_ms`. `pan_key` keys the hashes of card numbers in what is refused. `say` is told how many rows
    are behind.
    """
    numbered = raw.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(PLACE))
    parts = list(_counted(_decoded(numbered), len(raw), say))
    decoded, faults = (pl.concat(frames) for frames in zip(*parts, strict=True))
    first = decoded.select(pl.struct(KEY).is_first_distinct()).to_series()
    kept, repeated = decoded.filter(first), decoded.filter(~first)
    refused = pl.concat([faults, _repeats(repeated, kept)])
    return Validated(kept.drop(PLACE), _dead_letters(numbered, refused, pan_key))


def _counted(parts: Iterator[Part], rows: int, say: Say) -> Iterator[Part]:
    done = 0
    for decoded, faults in parts:
        done += len(decoded) + len(faults)
        say(str(Milestone("check the contract", done, rows, "rows")))
        yield decoded, faults


def _decoded(raw: pl.DataFrame) -> Iterator[Part]:
    """Each chunk, in order; at least one."""
    slim = raw.select(PLACE, "value", "value_base64", "received_ms", "door")
    chunks = list(slim.iter_slices(CHUNK)) or [slim]
    if len(raw) < PARALLEL_FROM:
        yield from map(_decode_chunk, chunks)
        return
    # Spawned: a forked child of a process with threads (Polars, gRPC) may hang.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_decode_chunk, chunks)


def _decode_chunk(chunk: pl.DataFrame) -> Part:
    records, places, faults = [], [], []
    for place, value, value_base64, received_ms, door in chunk.iter_rows():
        try:
            record = decode_transaction(_bytes(value, value_base64), received_ms=received_ms, door=Door(door))
        except ContractError as error:
            faults.append((place, error.code, error.field, error.message))
        else:
            records.append(record)
            places.append(place)
    rows = columns.to_frame(records, ValidatedTransaction, "ts_ms")
    return rows.with_columns(pl.Series(PLACE, places, pl.Int64)), pl.DataFrame(faults, FAULT, orient="row")


def _bytes(value: str | None, value_base64: str | None) -> bytes | None:
    if value is not None:
        return value.encode()
    return None if value_base64 is None else b64decode(value_base64)


def _repeats(repeated: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Faults of rows whose transaction is among the kept ones already."""
    same_body = pl.col("body_hash") == pl.col("body_hash_kept")
    return repeated.join(kept.select(*KEY, "body_hash"), on=KEY, suffix="_kept").select(
        pl.col(PLACE),
        pl.when(same_body).then(pl.lit("duplicate")).otherwise(pl.lit("conflict")).alias("error"),
        pl.lit("transaction_id").alias("field"),
        pl.when(same_body).then(pl.lit(DUPLICATE)).otherwise(pl.lit(CONFLICT)).alias("message"),
    )


def _dead_letters(raw: pl.DataFrame, faults: pl.DataFrame, pan_key: bytes) -> pl.DataFrame:
    """Rows of the table `quarantined`, in the order of their raw rows and with those rows' event dates."""
    place_in_day = pl.int_range(pl.len()).over(columns.EVENT_DATE)
    refused = raw.with_columns(offset=place_in_day).join(faults, on=PLACE).sort(PLACE)
    letters = [_dead_letter(row, pan_key) for row in refused.iter_rows(named=True)]
    frame = columns.to_frame(letters, DeadLetter, "received_ms")
    return frame.with_columns(refused[columns.EVENT_DATE])


def _dead_letter(row: dict[str, Any], pan_key: bytes) -> DeadLetter:
    kept = content(_bytes(row["value"], row["value_base64"]), pan_key)
    # The raw table has them of numbers that were masked on their way into it.
    kept["pan_hashes"] = kept["pan_hashes"] or row.get("pan_hashes") or []
    return DeadLetter(
        source_topic=SOURCE,
        source_partition=0,
        source_offset=row["offset"],
        received_ms=row["received_ms"],
        error=row["error"],
        field=row["field"],
        message=row["message"],
        **kept,
    )
