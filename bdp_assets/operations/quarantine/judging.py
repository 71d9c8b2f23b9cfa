"""May a corrected row go back into the past? The contract says so, and what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import Door
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.labels import KEY
from bdp_assets.ingest import corrections
from bdp_assets.ingest.corrections import IDENTITY
from bdp_assets.ingest.tables import CORRECTIONS, rows
from bdp_assets.operations.dead_letters.entries import NOT_REPLAYABLE
from bdp_assets.operations.dead_letters.fixes import Fixes, Unfixable
from bdp_assets.operations.dead_letters.judging import Kept
from bdp_assets.operations.quarantine.acts import Corrected
from bdp_assets.operations.quarantine.rows import Row, Status

UNCHANGED = "No fix changes it: the contract would refuse it as before."
TAKEN = (
    "The customer has a transaction with this transaction_id already. Give it its own id, or leave it: then "
    "there is nothing to do."
)

Days = tuple[date, date]
Verdict = Corrected | Kept


def fixed(row: Row, fixes: Fixes, *, now_ms: int, days: Days) -> Verdict:
    """The row with fixes applied. `now_ms` is the clock of the contract's time bounds, `days` the past's."""
    if row.status in {Status.RELEASING, Status.RELEASED}:
        return Kept(row.place, row.letter.error, f"Release {row.act_id} released it.")
    try:
        value = fixes.apply(row)
    except Unfixable as error:
        return Kept(row.place, row.letter.error, str(error))
    if value == row.original:
        return Kept(row.place, row.letter.error, NOT_REPLAYABLE if row.letter.masked else UNCHANGED)
    return accepted(row, value, now_ms=now_ms, days=days)


def accepted(row: Row, value: bytes, *, now_ms: int, days: Days) -> Verdict:
    """Judged by the contract, as the backfill will."""
    try:
        transaction = decode_transaction(value, received_ms=now_ms, door=Door.HISTORY)
    except ContractError as error:
        return Kept(row.place, error.code, error.message)
    day = datetime.fromtimestamp(transaction.ts_ms / 1000, UTC).date()
    if not days[0] <= day <= days[1]:
        says = f"Its timestamp is outside of the past, {days[0]} to {days[1]}."
        return Kept(row.place, "outside_history", says)
    return Corrected(row, value, transaction)


def without_taken(lake: Lake, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Of several transactions with one key the first stays, as anywhere; keys that the lake or a correction
    of another row has are taken."""
    judged = list(verdicts)
    passed = [one for one in judged if isinstance(one, Corrected)]
    taken = _taken(lake, passed)
    fresh: list[Verdict] = []
    for one in judged:
        if isinstance(one, Corrected):
            key = (one.transaction.customer_id, one.transaction.transaction_id)
            if key in taken:
                fresh.append(Kept(one.row.place, "duplicate", TAKEN))
                continue
            taken.add(key)
        fresh.append(one)
    return fresh


def _taken(lake: Lake, passed: Sequence[Corrected]) -> set[tuple[str, str]]:
    ids = [one.transaction.transaction_id for one in passed]
    wanted = pl.col("transaction_id").is_in(ids)
    known_by = pl.Schema({name: CORRECTIONS[name] for name in IDENTITY})
    own = pl.DataFrame([one.row.identity for one in passed], known_by)
    others = corrections.latest(lake).filter(wanted).join(own, on=IDENTITY, how="anti")
    there = rows(lake, "validated", KEY, None, wanted)
    return {(customer, id_) for customer, id_ in pl.concat([there, others.select(KEY)]).iter_rows()}
