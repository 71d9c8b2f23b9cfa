"""All that `bdp verify` proves, in one reading of the topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bdp_assets.clients.kafka import read_range, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.topics import RAW
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.operations import feature_skew, window_check
from bdp_assets.operations.ledger import SCORED, Equation, Ledger, balance, read_entries
from bdp_assets.operations.traffic_journal import lines
from bdp_assets.operations.verify.lag import LAKE, READERS, Lag
from bdp_assets.operations.verify.lake import Counted, read_landed
from bdp_assets.operations.verify.promises import kept, read_promises
from bdp_assets.operations.verify.store import probe
from bdp_assets.settings import Settings

Proved = tuple[Sequence[Equation], str]
"""Equations, and what stands beside them."""


@dataclass(frozen=True)
class Verification:
    """`groups`: equations by what they are about, those of the ledger apart."""

    lag: Lag
    ledger: Ledger
    groups: Mapping[str, Sequence[Equation]]
    notes: Mapping[str, str]
    """What stands beside a group: how much was compared, or why it was not judged."""

    @property
    def drained(self) -> bool:
        return not any(self.lag.values())

    @property
    def broken(self) -> list[str]:
        """What the equations say that do not hold."""
        equations = [*self.ledger.equations, *(one for group in self.groups.values() for one in group)]
        return [equation.says for equation in equations if not equation.holds]

    @property
    def holds(self) -> bool:
        return not self.broken


def verify(settings: Settings, lag: Lag) -> Verification:
    """Prove what can be proved with that lag.

    Raises KafkaUnavailable, KafkaRefused, OffsetsGone, StoreUnavailable, WarehouseUnavailable.
    """
    lake = Lake.of(settings)
    # What was promised, and what has landed, is in the topics that are read after it.
    promises = read_promises(lines(settings.home), since_ms=_oldest_kept_ms(settings))
    counted = Counted(read_landed(settings, lake))
    besides = [topic for topic in DESTINATIONS if topic not in SCORED]
    entries = read_entries(settings, counted.add, besides=besides)
    served, served_note = _served(lake)
    state, state_note = _state(settings, lake, lag)
    windows, windows_note = _windows(settings, lake)
    left_out = ", ".join(f"{number:,} {why}" for why, number in sorted(promises.left_out.items()))
    return Verification(
        lag=lag,
        ledger=balance(entries),
        groups={
            "load driver": kept(promises, entries),
            "lake": counted.equations(),
            "features": served,
            "online store": state,
            "windows": windows,
        },
        notes={
            "load driver": f"{len(promises.delivered):,} delivered, {len(promises.answered):,} answered"
            + (f"; left out: {left_out}" if left_out else ""),
            "lake": f"{lag[LAKE]:,} offsets have not landed" if lag[LAKE] else "",
            "features": served_note,
            "online store": state_note,
            "windows": windows_note,
        },
    )


def _oldest_kept_ms(settings: Settings) -> int:
    """Since when every partition of the raw topic is whole; 0 where retention has removed nothing."""
    cut = {partition: low for (_, partition), (low, _) in watermarks(settings, [RAW.name]).items() if low}
    firsts = (read_range(settings, RAW.name, number, low, low + 1) for number, low in cut.items())
    return max((first.timestamp_ms for found in firsts for first in found), default=0)


def _served(lake: Lake) -> Proved:
    """Features that the stream served lately, as the check `online_offline_skew` judges them."""
    found = feature_skew.measure(lake)
    counts = ", ".join(f"{found.total(name):,} {name}" for name in ("equal", "late", "unexplained"))
    unexplained = Equation("served features without an explanation = 0", found.total("unexplained"), 0)
    return (unexplained,), f"{found.total('compared'):,} values of the lake compared: {counts}"


def _state(settings: Settings, lake: Lake, lag: Lag) -> Proved:
    """Judged only where every worker is done, and stays so."""
    if behind := {group: lag[group] for group in READERS if lag[group]}:
        return (), f"not judged: messages wait ({_listed(behind)})"
    topics = [topic.name for topic in READERS.values()]
    before = watermarks(settings, topics)
    probed = probe(settings, lake)
    if watermarks(settings, topics) != before:
        return (), "not judged: messages came meanwhile"
    wrong = Equation("answers of the store that tables contradict = 0", sum(probed.different.values()), 0)
    worst = f"; differ: {_listed(probed.different)}" if probed.different else ""
    untold = f"; not at {probed.untold:,} merchants with frauds that no table has" if probed.untold else ""
    return (wrong,), f"{probed.compared:,} answers compared{untold}{worst}"


def _windows(settings: Settings, lake: Lake) -> Proved:
    """Windowed figures of the warehouse, as the check `window_figures_equal_lake` judges them."""
    found = window_check.compare(settings, lake)
    wrong = Equation("window figures that the lake contradicts = 0", len(found.wrong), 0)
    return (wrong,), f"{found.windows:,} figures of finished windows compared"


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())
