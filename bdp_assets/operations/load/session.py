"""What both doors work with: the schedule, what is sent, what is counted, and when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bdp_assets.operations.load.feed import Feed
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets.operations.load.tally import NOT_SENT, Outcome, Tally
from bdp_assets.operations.traffic_journal import Journal

Tell = Callable[[Tally], None]
TELL_EVERY_S = 1.0


@dataclass
class Session:
    """One run. Numbers are those of the schedule; moments are seconds since its start."""

    schedule: Schedule
    feed: Feed
    tally: Tally
    patience_s: float
    """How long an answer is waited for."""
    journal: Journal | None = None
    """None: what is loaded is not this platform, so that nothing is to be proved here later."""
    tell: Tell = lambda tally: None
    """Called about once a second."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set: nothing more becomes due."""

    def __post_init__(self) -> None:
        self.calls = len(self.schedule.times)
        self.sent = 0
        self._told_s = 0.0
        self._stopped = False
        self._ends_s = self.schedule.seconds + self.patience_s

    def late(self, now_s: float) -> float | None:
        """Seconds since the next call is due; below 0: until then; None: no call is left."""
        return now_s - float(self.schedule.times[self.sent]) if self.sent < self.calls else None

    def latency(self, number: int, now_s: float) -> float:
        return now_s - float(self.schedule.times[number])

    def end_of_source(self) -> None:
        """There are no more records: a phase that has had none by now will fail."""
        self.calls = self.sent

    def look(self, now_s: float, answered: int) -> bool:
        """Whether the run is over. Tells, and hears whether it shall stop."""
        if self.stop.is_set() and not self._stopped:
            self._stopped = True
            self.calls = min(self.calls, max(self.sent, self.schedule.due(now_s)))
            self._ends_s = min(self._ends_s, now_s + self.patience_s)
        if not self._stopped:
            self.tally.elapsed_s = min(now_s, self.schedule.seconds)
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self.tell(self.tally)
        return now_s >= self._ends_s or (answered >= self.calls)

    def close(self, now_s: float, waiting: dict[int, Outcome]) -> None:
        """Count what never came to an end: the calls that wait (number -> as what), and those never sent."""
        for number, outcome in waiting.items():
            self.tally.ended(number, self.latency(number, now_s), outcome)
        for number in range(self.sent, self.calls):
            self.tally.ended(number, self.latency(number, now_s), NOT_SENT)
        if not self._stopped:
            self.tally.elapsed_s = self.schedule.seconds
