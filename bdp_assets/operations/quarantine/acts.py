"""Who corrected and released what, and when: rows of the lake's table `corrections`, never changed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.ingest.corrections import TABLE, Action
from bdp_assets.ingest.tables import CORRECTIONS, rows
from bdp_assets.operations.quarantine.rows import Row


@dataclass(frozen=True)
class Act:
    """One command: everything it does is in one commit of the table, or nothing is."""

    id: str
    by: str
    at_ms: int

    @classmethod
    def now(cls, by: str) -> Act:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        return cls(name, by, time.time_ns() // 1_000_000)


class Corrected(NamedTuple):
    """A quarantined row, and the transaction that its corrected body is."""

    row: Row
    value: bytes
    transaction: ValidatedTransaction


def record(lake: Lake, action: Action, act: Act, done: Sequence[Corrected]) -> None:
    lake.append(TABLE, pl.DataFrame([_line(action, act, one) for one in done], CORRECTIONS))


def _line(action: Action, act: Act, one: Corrected) -> dict[str, object]:
    letter, transaction = one.row.letter, one.transaction
    return {
        "action": action.value,
        "act_id": act.id,
        "acted_ms": act.at_ms,
        "acted_by": act.by,
        "source_offset": one.row.place.offset,
        "error": letter.error,
        "field": letter.field,
        "value": one.value.decode(),
        "customer_id": transaction.customer_id,
        "transaction_id": transaction.transaction_id,
        "ts_ms": transaction.ts_ms,
        **one.row.identity,
    }


def history(lake: Lake) -> pl.DataFrame:
    """Columns when (UTC), by, action, id, error, field, rows: each command's acts, oldest first."""
    when = pl.from_epoch("acted_ms", time_unit="ms").alias("when")
    acts = rows(lake, TABLE).group_by(when, "acted_by", "action", "act_id", "error", "field").len("rows")
    ordered = acts.sort("when", "act_id", "error", "field")
    return ordered.rename({"acted_by": "by", "act_id": "id"})
