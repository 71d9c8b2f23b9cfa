"""Is a TCP port on loopback free, and who has it if not."""

from __future__ import annotations

import errno
import random
import socket
from collections import deque
from collections.abc import Iterable

import psutil

from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK

_marks: deque[socket.socket] = deque(maxlen=100)
"""Of the ports that were chosen last, by this process; of earlier ones, programs have long started."""


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now (SO_REUSEADDR, as servers set it)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose_free(names: Iterable[str]) -> dict[str, int]:
    """A free port for each setting, below those that the kernel gives to outgoing connections.

    What chooses at the same time, here or in another process, is given others: programs take theirs only when
    they start.
    """
    candidates = random.SystemRandom().sample(range(20_000, 32_000), 500)
    return dict(zip(names, filter(_is_mine, candidates), strict=False))


def _is_mine(port: int) -> bool:
    """Whether the port is free, and chosen by nobody else: who chooses one holds its number for datagrams."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((LOOPBACK, port))
    except OSError as error:
        mark.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return False
        raise
    if not is_free(port):
        mark.close()
        return False
    if len(_marks) == _marks.maxlen:
        _marks.popleft().close()
    _marks.append(mark)
    return True


def holder(port: int) -> str:
    """Who listens on the port, for a message: `python3 (pid 4711)`."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", None) == port
        if listens and connection.pid is not None:
            return f"{_name(connection.pid)} (pid {connection.pid})"
    return "a process of another user"


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "a process"


def require(wanted: Iterable[tuple[str, int]]) -> None:
    """Raises Problem that lists each taken port, its holder and the variable that moves it.

    `wanted` are settings such as `kafka_port`, each with a port.
    """
    taken = [(name, port) for name, port in wanted if not is_free(port)]
    if taken:
        lines = [f"Port {port} is taken by {holder(port)}." for _, port in taken]
        variables = ", ".join(dict.fromkeys(f"BDP_{name.upper()}" for name, _ in taken))
        raise Problem(
            "\n".join(lines),
            "Stop that process (another checkout's platform: `bdp down` there), or set "
            f"{variables} to a free port.",
        )
