"""Protocols by name: how long the windows of a split are, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from bdp_assets.training.split import TEST_DAYS, TRAIN_DAYS, Split, TrainingError, day_of, midnight_after


@dataclass(frozen=True)
class Protocol:
    """Lengths in days.

    Args:
        delay_days: between the windows, and after the test; None: as long as labels take in this data.
        starts: whether it names the first day of training; else the latest days are taken.
        most_ap: the highest average precision that can be reached honestly, where that is known.
    """

    train_days: int = TRAIN_DAYS
    test_days: int = TEST_DAYS
    delay_days: int | None = None
    starts: bool = False
    most_ap: float | None = None


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "default": Protocol(),
        # One who knows how that data was made reaches .766: see docs/training.md.
        "handbook": Protocol(train_days=7, test_days=7, delay_days=7, starts=True, most_ap=0.8),
    }
)


class Windows(NamedTuple):
    """A split, and the time at which its test labels are known."""

    split: Split
    cut_ms: int


@dataclass(frozen=True)
class Plan:
    """What to train on: a protocol, and the day that it starts on or the cut (UTC epoch ms).

    `until_ms` instead of a cut: the latest days with transactions before it; then the cut is the midnight
    after the last of them, which is earlier where nothing happened.
    """

    protocol: Protocol = PROTOCOLS["default"]
    start_ms: int | None = None
    cut_ms: int | None = None
    until_ms: int | None = None

    def delay_days(self, label_delay_days: int) -> int:
        """`label_delay_days`: how long labels take in this data."""
        chosen = self.protocol.delay_days
        return label_delay_days if chosen is None else chosen

    def windows(self, last_ms: int, label_delay_days: int) -> Windows:
        """For data whose last transaction is of `last_ms`. Raises TrainingError."""
        protocol, delay = self.protocol, self.delay_days(label_delay_days)
        if delay < label_delay_days:
            raise TrainingError(
                f"labels take {label_delay_days} days here and this protocol waits {delay}: frauds would be "
                "learned and judged as good. --protocol default waits as long as labels take"
            )
        days = {"train_days": protocol.train_days, "delay_days": delay, "test_days": protocol.test_days}
        if self.start_ms is not None:
            split = Split.starting(self.start_ms, **days)
            _require_days(split, midnight_after(last_ms))
            if self.cut_ms is not None and self.cut_ms < split.due_ms:
                raise TrainingError(
                    "at that --cut labels of the test are not due yet, which would count as good: from this "
                    f"--start on the earliest --cut is {day_of(split.due_ms)}"
                )
            return Windows(split, self.cut_ms or split.due_ms)
        if protocol.starts:
            raise TrainingError("this protocol names its first day of training: --start YYYY-MM-DD")
        cut = self.cut_ms or midnight_after(last_ms)
        return Windows(Split.before(cut, **days), cut)


def _require_days(split: Split, end_ms: int) -> None:
    """A test of which a part is missing would pass for a whole one."""
    if end_ms < split.test_end_ms:
        latest_start = end_ms - (split.test_end_ms - split.train_start_ms)
        raise TrainingError(
            f"the data ends at {day_of(end_ms)}, before its test does ({day_of(split.test_end_ms)}): the "
            f"latest --start with these lengths is {day_of(latest_start)}"
        )


LATEST = Plan()
"""The latest days whose test labels have had time to arrive."""


def plan_of(
    name: str,
    *,
    start_ms: int | None = None,
    cut_ms: int | None = None,
    train_days: int | None = None,
    test_days: int | None = None,
) -> Plan:
    """The plan of a named protocol; lengths that are given replace its own."""
    protocol = PROTOCOLS[name]
    chosen = replace(
        protocol,
        train_days=train_days or protocol.train_days,
        test_days=test_days or protocol.test_days,
    )
    return Plan(chosen, start_ms, cut_ms)
