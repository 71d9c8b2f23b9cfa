"""What transactions and labels add to the merchants' tiles, as calls of tiles.lua: one for each merchant."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from importlib.resources import files

from bdp_assets.clients.redis import Argument, Command, Script
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.history import Measure, measured
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch
from bdp_assets.features.spec import REVERSIBLE

TILES = Script(files("bdp_assets.features").joinpath("tiles.lua").read_text())


def transaction_calls(
    layout: Layout, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str]
) -> list[Command]:
    """Add each transaction once: a merchant takes only offsets above the last one of their partition."""
    columns = Batch.of(transactions).columns
    increments = [_increments(columns, measure) for measure in layout.measures]
    additions: dict[str, list[Argument]] = {}
    for row, (transaction, place) in enumerate(zip(transactions, coordinates, strict=True)):
        if transaction.merchant_id is None:
            continue
        partition, _, offset = place.rpartition(":")
        tile = _tile(layout, transaction.ts_ms)
        addition: list[Argument] = [partition, offset, tile, *(int(values[row]) for values in increments)]
        additions.setdefault(transaction.merchant_id, []).extend(addition)
    return [_call(layout, merchant, items) for merchant, items in additions.items()]


def label_calls(layout: Layout, labels: Sequence[Label]) -> list[Command]:
    """Add what each label changes once. Raises ValueError for a label without its transaction's time."""
    additions: dict[str, list[Argument]] = {}
    for label in labels:
        if label.ts_ms is None:
            raise ValueError("a label without ts_ms has no place in time; join it with its transaction first")
        if label.merchant_id is None:
            continue
        for delay in layout.label_delays:
            addition = _label_addition(layout, label, max(label.ts_ms, label.known_at_ms - delay), delay)
            additions.setdefault(label.merchant_id, []).extend(addition)
    return [_call(layout, merchant, items) for merchant, items in additions.items()]


def label_mark(customer_id: str, transaction_id: str, delay: int) -> bytes:
    """16 bytes for one transaction's label in the measures of one delay."""
    return blake2b(f"{delay}\0{customer_id}\0{transaction_id}".encode(), digest_size=16).digest()


def _label_addition(layout: Layout, label: Label, clock: int, delay: int) -> list[Argument]:
    sign = 1 if label.is_fraud else -1
    guard = f"{'+' if label.is_fraud else '-'}{label.known_at_ms}"
    mark = label_mark(label.customer_id, label.transaction_id, delay)
    mine = [sign if m.filter == LABEL_FILTER and m.delay == delay else 0 for m in layout.measures]
    return [guard, mark, _tile(layout, clock), *mine]


def _increments(columns: dict[str, Ints], measure: Measure) -> Ints:
    """What each transaction itself adds to a measure: nothing to one of labels."""
    return columns["ts_ms"] * 0 if measure.filter == LABEL_FILTER else measured(columns, measure)


def _tile(layout: Layout, ts_ms: int) -> int:
    return ts_ms - ts_ms % layout.tile_ms


def _call(layout: Layout, merchant_id: str, additions: list[Argument]) -> Command:
    keys = (layout.tiles(merchant_id), layout.frauds(merchant_id))
    lifetime = layout.tiles_ms // 1000
    return TILES.call(keys, len(layout.measures), layout.tiles_ms, lifetime, REVERSIBLE, *additions)
