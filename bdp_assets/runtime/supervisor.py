"""Our supervisor: a supervisord of this BDP_HOME, started when needed and spoken to over its unix socket."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from bdp_assets.runtime import home as homes
from bdp_assets.runtime import orphans, supervisord_conf
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.services import PROGRAMS

_START_S = 15.0
_END_S = 90.0


@dataclass(frozen=True)
class ProgramState:
    """What the supervisor says of a program. `state` is its word in lower case: running, fatal, ..."""

    name: str
    state: str
    pid: int
    uptime_s: int
    detail: str

    @property
    def running(self) -> bool:
        return self.state in ("running", "starting")


class SupervisorGone(Problem):
    """Nobody answers at the supervisor's socket."""


class Supervisor:
    """All but `alive`, `ensure`, `states` and `shutdown` raise SupervisorGone when it does not run."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = homes.socket_path(home)

    def alive(self) -> bool:
        return self._socket.exists() and self._answers()

    def ensure(self) -> None:
        """Have it run; it starts no program by itself. Raises Problem."""
        if self.alive():
            return
        try:
            daemon = self._begin()
        except OSError as error:
            raise homes.unwritable(self._home, error) from error
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if daemon.poll() is not None or time.monotonic() > deadline:
                log = self._home / "logs" / "supervisord.out"
                raise Problem(
                    f"The supervisor did not start:\n{log.read_text()[-2000:].strip()}",
                    f"See {self._home / 'logs' / 'supervisord.log'}.",
                )
            time.sleep(0.05)

    def states(self) -> dict[str, ProgramState]:
        """By name, for every program; empty when no supervisor runs."""
        if not self.alive():
            return {}
        return {info["name"]: _state(info) for info in self._call("getAllProcessInfo")}

    def state(self, name: str) -> ProgramState:
        return _state(self._call("getProcessInfo", name))

    def start(self, name: str) -> None:
        """Begin to start a program; at once done when it is started already."""
        with _ignoring(Faults.ALREADY_STARTED):
            self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a program and wait until it is gone (killed after its patience)."""
        with _ignoring(Faults.NOT_RUNNING):
            self._call("stopProcess", name, True)

    def signal(self, name: str, signal: str) -> None:
        """Send a program's process a signal, such as `USR2`."""
        self._call("signalProcess", name, signal)

    def shutdown(self) -> None:
        """End the supervisor with whatever still runs, and wait for it. Raises Problem."""
        if not self.alive():
            return
        process = psutil.Process(self._call("getPID"))
        self._call("shutdown")
        # Also where whoever started it never collects it, as in a container without an init.
        if orphans.still_alive([process], _END_S):
            raise Problem(
                f"The supervisor (pid {process.pid}) did not end within {_END_S:.0f} s.", "Try again."
            )

    def _begin(self) -> subprocess.Popen[bytes]:
        configuration = self._home / "run" / "supervisord.conf"
        socket = homes.prepare_socket(self._home)
        configuration.write_text(supervisord_conf.render(self._home, PROGRAMS, socket))
        return self._spawn(configuration)

    def _spawn(self, configuration: Path) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
        environment[orphans.MARKER] = str(self._home)
        with (self._home / "logs" / "supervisord.out").open("wb") as output:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "supervisor.supervisord",
                    "--nodaemon",
                    "--silent",
                    "-c",
                    str(configuration),
                ],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        try:
            return bool(self._call("getState"))
        except SupervisorGone:
            return False

    def _call(self, method: str, *arguments: object) -> Any:
        """One connection a call: programs are started from several threads. Raises SupervisorGone."""
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        try:
            with ServerProxy("http://supervisor", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise SupervisorGone(
                f"The supervisor of {self._home} does not answer: it ended, or was killed.",
                f"`bdp up` starts it again; {self._home / 'logs' / 'supervisord.log'} may say why it ended.",
            ) from error


def _state(info: dict[str, Any]) -> ProgramState:
    state = info["statename"].lower()
    uptime = info["now"] - info["start"] if state in ("running", "starting") else 0
    return ProgramState(info["name"], state, info["pid"], uptime, info["description"])


@contextlib.contextmanager
def _ignoring(code: int) -> Any:
    try:
        yield
    except Fault as fault:
        if fault.faultCode != code:
            raise
