"""What the figures have to be: a slow reader of the catalog, one transaction and one window at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.times import MINUTE
from bdp_assets.streaming.analytics.catalog import DIMENSIONS, HIGH_VALUE_BASE_MINOR, WINDOWS

Log = Sequence[tuple[int, ValidatedTransaction]]
"""(partition, transaction) as they came."""

Group = tuple[str, int, str, str]
"""window, start_ms, dimension, member"""


class Figures(NamedTuple):
    end_ms: int
    count: int
    volume: int
    max: int
    high: int
    fraud: int


@dataclass
class Naive:
    figures: dict[Group, Figures] = field(default_factory=dict)
    late: list[tuple[str, str, str, int]] = field(default_factory=list)
    """(customer, transaction, window, start_ms), sorted."""


def naive(log: Log, labels: Sequence[Label] = ()) -> Naive:
    result = Naive()
    seen: set[tuple[str, str]] = set()
    clocks: dict[int, int] = {}
    for partition, one in log:
        clock = clocks.get(partition, -1)
        clocks[partition] = max(clock, one.ts_ms)
        if (one.customer_id, one.transaction_id) in seen:
            continue
        seen.add((one.customer_id, one.transaction_id))
        for window in WINDOWS:
            for start in range(0, one.ts_ms + 1, window.hop_ms):
                end = start + window.size_ms
                if end <= one.ts_ms:
                    continue
                if end + window.grace_ms <= clock:
                    result.late.append((one.customer_id, one.transaction_id, window.name, start))
                else:
                    _count(result.figures, (window.name, start), end, one, _is_fraud(one, labels))
    result.late.sort()
    return result


def _count(
    figures: dict[Group, Figures], window: tuple[str, int], end: int, one: ValidatedTransaction, fraud: bool
) -> None:
    for dimension in DIMENSIONS:
        member = getattr(one, dimension)
        if member is None:
            continue
        group = (*window, dimension, member)
        before = figures.get(group, Figures(end, 0, 0, 0, 0, 0))
        amount = one.amount_base_minor
        figures[group] = Figures(
            end,
            before.count + 1,
            before.volume + amount,
            max(before.max, amount),
            before.high + (amount >= HIGH_VALUE_BASE_MINOR),
            before.fraud + fraud,
        )


def _is_fraud(one: ValidatedTransaction, labels: Sequence[Label]) -> bool:
    told = [
        (label.known_at_ms, label.is_fraud)
        for label in labels
        if (label.customer_id, label.transaction_id) == (one.customer_id, one.transaction_id)
    ]
    return max(told, default=(0, False))[1]


def transaction(
    customer: str, name: str, ts_ms: int, amount: int = 100, **members: str | None
) -> ValidatedTransaction:
    return ValidatedTransaction(
        transaction_id=name,
        customer_id=customer,
        timestamp="2026-01-01T00:00:00Z",
        ts_ms=ts_ms,
        amount="1.00",
        currency="USD",
        amount_minor=amount,
        amount_base_minor=amount,
        rates_version="r",
        body_hash="0" * 32,
        **members,
    )


def partition_of(customer: str) -> int:
    return int(customer[-1]) % 3


_MEMBERS: Mapping[str, Sequence[str | None]] = {
    "merchant_category": (None, "grocery", "travel"),
    "country": ("US", "DE"),
    "channel": (None, "online"),
}


@st.composite
def logs(draw: st.DrawFn, most: int = 40) -> Log:
    """Five customers on three partitions; times in four hours from 1970, many at window ends."""
    at_ends = st.integers(0, 240).map(lambda minute: minute * MINUTE)
    times = at_ends | st.integers(0, 240 * MINUTE) | at_ends.map(lambda ms: max(0, ms - 1))
    one = st.builds(
        transaction,
        st.sampled_from([f"c{number}" for number in range(5)]),
        st.sampled_from([f"t{number}" for number in range(8)]),
        times,
        st.sampled_from([0, 1, HIGH_VALUE_BASE_MINOR - 1, HIGH_VALUE_BASE_MINOR, 2**40]),
        **{name: st.sampled_from(members) for name, members in _MEMBERS.items()},
    )
    rising = draw(st.lists(one, max_size=most))
    if draw(st.booleans()):
        rising = sorted(rising, key=lambda each: each.ts_ms // (20 * MINUTE))
    return [(partition_of(each.customer_id), each) for each in rising]
