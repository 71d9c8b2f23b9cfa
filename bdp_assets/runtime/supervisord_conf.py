"""The text of supervisord.conf: one section a program; what a program runs is in its file (launch.py)."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from bdp_assets.project import PROJECT
from bdp_assets.runtime import launch
from bdp_assets.runtime.parts import Program


def program_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def render(home: Path, programs: Iterable[Program], socket: Path) -> str:
    """Configuration of a supervisor that listens on `socket` and starts nothing by itself."""
    return "\n".join([_daemon(home, socket), *(_program(home, program) for program in programs)])


def _daemon(home: Path, socket: Path) -> str:
    # Root who says so explicitly is not warned about it in every log.
    user = "user = root\n" if os.geteuid() == 0 else ""
    return f"""\
[unix_http_server]
file = {_escaped(socket)}
chmod = 0700

[supervisord]
logfile = {_escaped(home)}/logs/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = {_escaped(home)}/run/supervisord.pid
childlogdir = {_escaped(home)}/logs
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""


def _program(home: Path, program: Program) -> str:
    command = [sys.executable, "-m", launch.__name__, str(program_file(home, program.name))]
    return f"""\
[program:{program.name}]
command = {_escaped(shlex.join(command))}
directory = {_escaped(PROJECT)}
autostart = false
autorestart = true
startsecs = 1
startretries = 10
stopsignal = {program.stop_signal}
stopwaitsecs = {program.stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = {_escaped(_escaped(home))}/logs/{program.name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def _escaped(value: object) -> str:
    """A percent sign begins a substitution in supervisord's language, which reads stdout_logfile twice."""
    return str(value).replace("%", "%%")
