"""The plan, move by move, while traffic flows; then the proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bdp_assets.operations.chaos import ends
from bdp_assets.operations.chaos.blows import Blows, Failed
from bdp_assets.operations.chaos.plan import TARGETS, Move
from bdp_assets.operations.chaos.recovery import Recovery
from bdp_assets.operations.chaos.traffic import Traffic
from bdp_assets.operations.verify.lag import await_drained
from bdp_assets.operations.verify.verification import Verification, verify
from bdp_assets.settings import Settings

WARM_UP_S = 5.0
DRAIN_S = 300.0


@dataclass(frozen=True)
class Done:
    """One move as it went. `at_s`: seconds after the first; `recovery_s`: until its target worked again."""

    move: Move
    at_s: float
    recovery_s: float | None
    problem: str = ""


Tell = Callable[[Done], None]


@dataclass(frozen=True)
class Outcome:
    done: Sequence[Done]
    """In the order of the plan."""
    left_out: int
    """Moves that there was no time for."""
    plays: int
    interrupted: int
    drain_s: float
    verification: Verification
    ends: Sequence[str] = ()
    """Workers that ended as they should not."""

    @property
    def kills(self) -> int:
        return sum(one.move.kills for one in self.done)

    @property
    def problems(self) -> list[str]:
        """Moves that could not be made, targets that did not come back, workers that crashed, lag."""
        failed = [one for one in self.done if one.problem]
        told = [f"{one.move.target.program}, {one.move.says}: {one.problem}" for one in failed]
        behind = {part: number for part, number in self.verification.lag.items() if number}
        return [*told, *(f"{part} is still {number:,} behind" for part, number in behind.items()), *self.ends]

    @property
    def holds(self) -> bool:
        return self.verification.holds and not self.problems


def run(settings: Settings, plan: Sequence[Move], *, rate: float, most_s: float, tell: Tell) -> Outcome:
    """Play the plan, for `most_s` seconds at most, then drain and verify.

    Raises KafkaUnavailable, KafkaRefused, Outage: something did not come back at the end.
    """
    traffic, blows = Traffic(settings, rate), Blows(settings, threading.Event())
    try:
        traffic.start()
        time.sleep(WARM_UP_S)
        done = Rounds(settings, blows, tell).play(plan, most_s)
        traffic.stop()
        began = time.monotonic()
        lag = await_drained(settings, DRAIN_S)
        drain_s = time.monotonic() - began
        found = verify(settings, lag)
    finally:
        traffic.end()
        blows.end()
    ended = ends.strange(settings.home / "logs" / "supervisord.log", TARGETS)
    return Outcome(done, len(plan) - len(done), traffic.plays, traffic.interrupted, drain_s, found, ended)


class Rounds:
    """Moves overlap, but those of one target: that has to be over the one before."""

    def __init__(self, settings: Settings, blows: Blows, tell: Tell) -> None:
        self._settings, self._blows, self._tell = settings, blows, tell
        self._lock = threading.Lock()

    def play(self, plan: Sequence[Move], most_s: float) -> list[Done]:
        self._began = time.monotonic()
        busy: dict[str, Future[Done]] = {}
        futures: list[Future[Done]] = []
        with ThreadPoolExecutor(max_workers=len({move.target.program for move in plan})) as pool:
            try:
                for move in plan:
                    time.sleep(move.after_s)
                    if earlier := busy.get(move.target.program):
                        earlier.result()
                    if time.monotonic() - self._began > most_s:
                        break
                    busy[move.target.program] = pool.submit(self._one, move)
                    futures.append(busy[move.target.program])
                return [future.result() for future in futures]
            except BaseException:
                self._blows.over.set()
                raise

    def _one(self, move: Move) -> Done:
        at_s = time.monotonic() - self._began
        try:
            harmed = self._blows.strike(move)
        except Failed as failed:
            done = Done(move, at_s, None, str(failed))
        else:
            recovery_s = Recovery(self._settings, move.target, self._blows.over).wait(harmed)
            done = Done(move, at_s, recovery_s, "" if recovery_s is not None else "it did not come back")
        with self._lock:
            if not self._blows.over.is_set():
                self._tell(done)
        return done
