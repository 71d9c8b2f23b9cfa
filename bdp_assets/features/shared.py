"""What transactions and labels add to the tiles of shared entities: calls of tiles.lua, each of some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import blake2b
from importlib.resources import files

import numpy as np

from bdp_assets.clients.redis import Redis, Script, is_one_server, run
from bdp_assets.clients.redis_exchange import Argument, Command
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.fields import Field, event_field
from bdp_assets.features.label_places import Placed
from bdp_assets.features.layout import Layout, Series
from bdp_assets.features.records import Batch
from bdp_assets.features.spec import REVERSIBLE, Entity
from bdp_assets.features.summaries import Merge, Summary

TILES = Script(files("bdp_assets.features").joinpath("tiles.lua").read_text())
TOGETHER = 8
"""How many entities one call changes at most: others have to wait for it."""
_NO_LABEL = b""
_OPS: dict[Merge, str] = {"add": "a", "min": "n", "max": "x"}
_Additions = dict[int, list[Argument]]
"""Of an entity, by the hash of its id."""


def add_transactions(
    client: Redis,
    layout: Layout,
    transactions: Sequence[ValidatedTransaction],
    coordinates: Sequence[str],
) -> None:
    """Add each transaction once: an entity takes only offsets above the last one of their partition.

    Raises StoreUnavailable.
    """
    batch = Batch.of(transactions, [entity.keys[0] for entity in layout.shared])
    places = [place.rpartition(":") for place in coordinates]
    calls: list[Command] = []
    for entity, all_series in layout.shared.items():
        packed = [_packed(increments(series, batch)) for series in all_series]
        additions: _Additions = {}
        for row, code in enumerate(batch.columns[entity.keys[0]].tolist()):
            if code >= 0:
                partition, _, offset = places[row]
                added = additions.setdefault(code, [])
                added += (partition, offset, _NO_LABEL)
                added += [rows[row] for rows in packed]
        calls += _calls(layout, entity, additions, _together(client))
    run(client, calls, [TILES])


def add_labels(
    client: Redis, layout: Layout, labels: Sequence[Placed], coordinates: Sequence[str | None]
) -> None:
    """Add what each label changes once: like transactions by their offsets, and by what is known already.

    Without coordinates (not from Kafka), only what is known keeps a label from counting again. Raises
    StoreUnavailable.
    """
    additions: dict[Entity, _Additions] = {}
    for placed, place in zip(labels, coordinates, strict=True):
        for entity, code in placed.ids.items():
            added = additions.setdefault(entity, {}).setdefault(code, [])
            for delay in label_delays(layout.shared[entity]):
                added += _label_addition(layout.shared[entity], placed, place, delay)
    calls: list[Command] = []
    for entity, by_code in additions.items():
        some = {code: items for code, items in by_code.items() if items}
        calls += _calls(layout, entity, some, _together(client))
    run(client, calls, [TILES])


def label_delays(all_series: Iterable[Series]) -> list[int]:
    return sorted({delay for series in all_series for delay in series.summary.label_delays})


def label_mark(customer_id: str, transaction_id: str, delay: int) -> bytes:
    """16 bytes for one transaction's label in the fields of one delay."""
    return blake2b(f"{delay}\0{customer_id}\0{transaction_id}".encode(), digest_size=16).digest()


def increments(series: Series, batch: Batch) -> Ints:
    """What transactions themselves add to a series: nothing to counts of labels; int64 [n, width]."""
    ts = batch.columns["ts_ms"]
    start = ts - ts % series.hop
    return series.summary.rows(start, partial(_transaction_field, batch, start))


def label_increments(summary: Summary, start: Ints, sign: Ints, delay: int) -> Ints:
    """What label changes add to the counts of known fraud with this delay; int64 [n, width]."""
    return summary.rows(start, partial(_label_field, start, sign, delay))


def _transaction_field(batch: Batch, start: Ints, field: Field) -> Ints:
    if field.of_labels:
        return np.zeros_like(start)
    # A tile's events all happened when it began.
    return start if field.kind in ("first_ms", "last_ms") else event_field(field, batch.columns)


def _label_field(start: Ints, sign: Ints, delay: int, field: Field) -> Ints:
    if field.of_labels:
        return sign if field.delay == delay else np.zeros_like(sign)
    return np.full_like(start, field.absent)


def _label_addition(
    all_series: Sequence[Series], placed: Placed, place: str | None, delay: int
) -> tuple[Argument, ...]:
    label = placed.label
    sign = 1 if label.is_fraud else -1
    # Its several delays are several additions of one offset, so each has its own count of offsets.
    partition, _, offset = (place or "").rpartition(":")
    partition = f"{partition}:{delay}" if partition else ""
    mark = label_mark(label.customer_id, label.transaction_id, delay)
    change = (b"+" if label.is_fraud else b"-") + mark + b"%d" % placed.known_at_ms
    clock = max(placed.ts_ms, placed.known_at_ms - delay)
    tiles = [
        _packed(label_increments(one.summary, np.array([clock - clock % one.hop]), np.array([sign]), delay))[
            0
        ]
        if delay in one.summary.label_delays
        else b""
        for one in all_series
    ]
    return partition, offset, change, *tiles


def _packed(rows: Ints) -> list[bytes]:
    """Each row as a tile."""
    packed, size = rows.astype("<i8").tobytes(), 8 * rows.shape[1]
    return [packed[at : at + size] for at in range(0, len(packed), size)]


def _together(client: Redis) -> int:
    """How many entities a call may change: those of a cluster lie on several servers."""
    return TOGETHER if is_one_server(client) else 1


def _calls(layout: Layout, entity: Entity, additions: _Additions, together: int) -> list[Command]:
    header = _header(layout, entity)
    each = 3 + len(layout.shared[entity])  # arguments of an addition
    some = list(zip(layout.keys_of_shared(entity, additions), additions.values(), strict=True))
    calls: list[Command] = []
    for at in range(0, len(some), together):
        keys: list[str] = []
        arguments = list(header)
        for its_keys, items in some[at : at + together]:
            keys += its_keys
            arguments.append(len(items) // each)
            arguments += items
        calls.append(TILES.call(keys, *arguments))
    return calls


def _header(layout: Layout, entity: Entity) -> list[Argument]:
    header: list[Argument] = [len(layout.shared[entity]), layout.shared_s(entity), REVERSIBLE]
    for series in layout.shared[entity]:
        ops = "".join(_OPS[column.merge] for column in series.summary.columns)
        header += [series.keeps, int(series.is_endless), ops]
    return header
