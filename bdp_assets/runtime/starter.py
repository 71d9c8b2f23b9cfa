"""Bring parts up: clear leftovers, check ports, then prepare, start and wait for the health of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from bdp_assets.runtime import home as homes
from bdp_assets.runtime import launch, ordered, orphans, ports, profile, supervisord_conf
from bdp_assets.runtime.monitoring import WATCHING
from bdp_assets.runtime.parts import Part, Program, Step
from bdp_assets.runtime.problems import DiskFull
from bdp_assets.runtime.sickness import sick
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

HEALTH_S = 300.0

Stage = Literal["starting", "ready", "running", "stale", "waits", "yours", "stopping", "stopped"]
Report = Callable[[str, Stage, str], None]
"""Told what happens: name of the part, its stage, a detail for people."""


@dataclass(frozen=True)
class Starter:
    settings: Settings
    supervisor: Supervisor
    report: Report

    def run(self, parts: Mapping[str, Part]) -> None:
        """Start the parts that do not run.

        Raises Problem; what is up by then stays up, unless the disk is full.
        """
        running = {name for name, state in self.supervisor.states().items() if state.running}
        idle = [part for part in parts.values() if isinstance(part, Program) and part.name not in running]
        self._end_leftovers([program.name for program in idle])
        ports.require(port for program in idle for port in program.listens(self.settings).items())
        needs = {name: part.needs for name, part in parts.items()}
        try:
            with homes.lack_of_room_told(self.settings.home):
                profile.remember_layout(self.settings.home)
                self.supervisor.ensure()
                ordered.run(needs, lambda name, cancelled: self._part(parts[name], cancelled))
        except DiskFull:
            self._undo([program.name for program in idle])
            raise

    def reload(self, program: Program) -> bool:
        """Have a program that runs take the settings of now while it serves; False: it can not.

        Raises Problem.
        """
        number = program.reload_signal(self.settings)
        if number is None or not self._runs_as(program):
            return False
        self.report(program.name, "starting", "")
        self._prepare(program)
        self.supervisor.signal(program.name, number)
        self._await_health(program, Event())
        self.report(program.name, "ready", "")
        return True

    def _runs_as(self, program: Program) -> bool:
        """Whether it runs, by the very command that the settings have for it."""
        if not self.supervisor.state(program.name).running:
            return False
        return launch.command_of(self._file(program)) == program.command(self.settings)

    def _undo(self, begun: Sequence[str]) -> None:
        """End what this start began, and the supervisor where nothing else runs under it.

        A full disk may have ended the supervisor itself: then nobody looks after what it had started.
        """
        if not self.supervisor.alive():
            self._end_leftovers([])
            return
        for name in reversed(begun):
            self.supervisor.stop(name)
        if not any(state.running for state in self.supervisor.states().values()):
            self.supervisor.shutdown()

    def _end_leftovers(self, idle: Sequence[str]) -> None:
        """End what outlived the supervisor, or its own crashed parent: it holds ports and files."""
        programs = idle if self.supervisor.alive() else None
        orphans.end(orphans.find(self.settings.home, programs))

    def _part(self, part: Part, cancelled: Event) -> None:
        if isinstance(part, Program) and self.supervisor.state(part.name).running:
            self._report_running(part)
            return
        began = time.monotonic()
        self.report(part.name, "starting", "")
        if isinstance(part, Step):
            part.run(self.settings)
        else:
            self._start(part, cancelled)
        if cancelled.is_set():
            return  # another part failed, and nobody waited for this one to be healthy
        self.report(part.name, "ready", f"{time.monotonic() - began:.1f} s")

    def _report_running(self, program: Program) -> None:
        if self._file(program).read_text() == self._description(program):
            self.report(program.name, "running", "")
        else:
            self.report(
                program.name, "stale", f"its settings changed: `bdp restart {program.name}` applies them"
            )

    def _start(self, program: Program, cancelled: Event) -> None:
        self.supervisor.stop(program.name)  # one that is tried again after a failure
        self._prepare(program)
        if cancelled.is_set():
            return
        self.supervisor.start(program.name)
        self._await_health(program, cancelled)

    def _prepare(self, program: Program) -> None:
        try:
            program.prepare(self.settings, lambda text: self.report(program.name, "starting", text))
            self._write_description(program)
        except OSError as error:
            raise homes.unwritable(self.settings.home, error) from error

    def _file(self, program: Program) -> Path:
        return supervisord_conf.program_file(self.settings.home, program.name)

    def _write_description(self, program: Program) -> None:
        file = self._file(program)
        file.touch(mode=0o600)  # it may hold passwords
        file.write_text(self._description(program))

    def _description(self, program: Program) -> str:
        own = {"BDP_HOME": str(self.settings.home), "PYTHONUNBUFFERED": "1"}
        marks = orphans.marks(self.settings.home, program.name)
        # Whether it is watched, and who is told, is nothing to most: they need not start anew for it.
        chosen = {name: value for name, value in self.settings.chosen().items() if name not in WATCHING}
        environment = {**chosen, **own, **marks, **program.environment(self.settings)}
        return launch.describe(program.command(self.settings), environment, alone=program.alone)

    def _await_health(self, program: Program, cancelled: Event) -> None:
        deadline = time.monotonic() + HEALTH_S
        while not cancelled.wait(0.25):
            state = self.supervisor.state(program.name)
            if not state.running:
                raise sick(self.settings, program.name, f"ended while it started ({state.detail})")
            if state.state == "running" and program.healthy(self.settings):
                return
            if time.monotonic() > deadline:
                raise sick(
                    self.settings,
                    program.name,
                    f"runs but did not answer within {HEALTH_S:.0f} s",
                )
