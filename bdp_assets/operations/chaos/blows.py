"""How each move of the plan is done to a running platform."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event

import psutil

from bdp_assets.clients.redis import StoreUnavailable, connect, run
from bdp_assets.operations.chaos import ends
from bdp_assets.operations.chaos.plan import Kind, Move, Target
from bdp_assets.runtime import logs, orphans
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings
from bdp_assets.streaming import kill_points
from bdp_assets.streaming.worker import STORE_TIMEOUT_MS

ADDED_SLOT = 1
RUNNING_S = STRIKES_S = REBUILT_S = 300.0
DRAINED_S = 30.0


class Failed(Exception):  # noqa: N818 - of a blow that should have landed
    """What did not happen, for people."""


@dataclass
class Blows:
    """How long the platform takes to recover, `recovery` tells."""

    settings: Settings
    over: Event
    """Set when nobody waits for anything any more."""
    _added: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def strike(self, move: Move) -> float:
        """Returns when the harm was done, by the monotonic clock. Raises Failed."""
        blows: Mapping[Kind, Callable[[Move], float | None]] = {
            Kind.KILL: self._kill,
            Kind.PAUSE: self._pause,
            Kind.RESTART: self._restart,
            Kind.DIE: self._die,
            Kind.LOSE: self._lose,
            Kind.ADD: self._add,
            Kind.REMOVE: self._remove,
        }
        return blows[move.kind](move) or time.monotonic()

    def end(self) -> None:
        """Kill the workers that were added and are left."""
        for worker in self._added.values():
            worker.kill()
            worker.wait()

    def _kill(self, move: Move) -> None:
        root = self._process(move.target)
        for process in (*(orphans.descendants(root) if move.target.with_children else ()), root):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _pause(self, move: Move) -> None:
        root = self._process(move.target)
        with _stopped([root, *orphans.descendants(root)]):
            self.over.wait(move.seconds)

    def _restart(self, move: Move) -> None:
        self._process(move.target)
        supervisor = Supervisor(self.settings.home)
        supervisor.stop(move.target.program)
        supervisor.start(move.target.program)

    def _die(self, move: Move) -> None:
        """The worker of slot 0 comes by the point with its next batch."""
        folder = self.settings.kill_points
        assert folder is not None  # noqa: S101 - the ground has one
        assert move.point is not None  # noqa: S101 - so has the move
        armed = kill_points.arm(folder, f"{move.target.program}-0", move.point)
        unharmed = f"no batch of {move.target.program} came by {move.point}"
        self._until(lambda: not armed.exists(), STRIKES_S, unharmed)

    def _lose(self, _move: Move) -> float:
        """Everything that the store holds; then what a person types, which is part of the recovery."""
        self._until(self._flushed, RUNNING_S, "the store could not be emptied")
        lost = time.monotonic()
        self._until(self._rebuilt, REBUILT_S, "the store could not be rebuilt")
        return lost

    def _flushed(self) -> bool:
        patient = self.settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS})
        try:
            run(connect(patient), [("FLUSHALL",)])
        except StoreUnavailable:
            return False
        return True

    def _rebuilt(self) -> bool:
        command, environment = self._command("features", "rebuild-online"), self._environment("rebuild")
        with self._log("rebuild") as log:
            done = subprocess.run(command, env=environment, stdout=log, stderr=log, check=False)
        return done.returncode == 0

    def _add(self, move: Move) -> None:
        name = f"{move.target.program}-{ADDED_SLOT}"
        command = self._command("stream", move.target.program, "--slot", str(ADDED_SLOT))
        with self._log(name) as log:
            environment = self._environment(name)
            self._added[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def _remove(self, move: Move) -> None:
        """It drains, or is killed when it can not, as the supervisor does: Kafka may be away."""
        worker = self._added.pop(f"{move.target.program}-{ADDED_SLOT}")
        worker.terminate()
        try:
            worker.wait(DRAINED_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            return
        if worker.returncode not in ends.GOOD:
            raise Failed(f"the added worker ended with {worker.returncode}")

    def _process(self, target: Target) -> psutil.Process:
        """Of the program, once it runs."""
        found: list[psutil.Process] = []
        self._until(lambda: bool(self._look(target, found)), RUNNING_S, f"{target.program} does not run")
        return found[0]

    def _look(self, target: Target, found: list[psutil.Process]) -> list[psutil.Process]:
        state = Supervisor(self.settings.home).state(target.program)
        if state.state == "running":
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(state.pid))
        return found

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "bdp_assets.cli.main", *arguments]

    def _environment(self, name: str) -> dict[str, str]:
        """With the mark by which `bdp down` knows whose process it is."""
        others = {key: value for key, value in os.environ.items() if not key.startswith("BDP_")}
        return {**others, **self.settings.chosen(), **orphans.marks(self.settings.home, name)}

    def _until(self, holds: Callable[[], bool], patience_s: float, otherwise: str) -> None:
        deadline = time.monotonic() + patience_s
        while not holds():
            if time.monotonic() > deadline or self.over.wait(0.1):
                raise Failed(f"{otherwise} within {patience_s:g} s")

    @contextmanager
    def _log(self, name: str) -> Iterator[int]:
        with logs.path(self.settings.home, name).open("ab") as log:
            yield log.fileno()


@contextmanager
def _stopped(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """SIGSTOP, and SIGCONT whatever happens: nobody is left behind asleep."""
    try:
        _send(processes, signal.SIGSTOP)
        yield
    finally:
        _send(processes, signal.SIGCONT)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
