"""haproxy before replicas of the API: Debian's package; what it does is made from the settings."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from bdp_assets.runtime import home as homes
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings

RELOAD = "USR2"
"""The master starts a worker anew, on the sockets of the old one, which ends its calls."""
_PLACES = "/usr/local/sbin:/usr/sbin"
"""Where packages put it, which is not on every user's path."""

_HEAD = """\
    log stdout format raw daemon notice
    maxconn 2000
    # A call of up to this size can be sent again: haproxy keeps it until an answer begins.
    tune.bufsize 65536

defaults
    mode http
    log global
    timeout connect 500ms
    # Of a health check, once it is connected. Without it a check has `inter`, a second, which a replica may
    # need whose core is busy with calls: the only one that is left must not be taken out for that.
    timeout check 5s
    timeout client 60s
    timeout server 30s
    timeout http-request 20s
    # A worker that a reload replaces tells clients with their next answer to connect anew.
    option idle-close-on-response
    # A replica that refuses the connection, or dies before the first byte of its answer: the call goes to
    # another one. Only because every POST of the API may be repeated: a transaction is claimed by its id, the
    # same one again gets the decision that stands, and the same label again changes nothing. Never for an
    # answer that came (5xx), which may say that nothing is to be had.
    retries 6
    option redispatch 1
    retry-on conn-failure empty-response
"""
_RESOLVERS = """
resolvers docker
    nameserver dns 127.0.0.11:53
    hold valid 1s
"""
"""Docker's own name server, at the same address in every container."""
_AWAY = '{"error":{"code":"no_replica","message":"no replica of the API answers; send the same again"}}'


def binary() -> Path | None:
    """None where it is not installed."""
    found = shutil.which("haproxy") or shutil.which("haproxy", path=_PLACES)
    return Path(found) if found else None


def required() -> Path:
    """As `binary`. Raises Problem where there is none."""
    found = binary()
    if found is None:
        raise Problem(
            "haproxy is not installed, and BDP_API_REPLICAS is more than 1.",
            "Install it (Debian: `apt-get install haproxy`; its own service may stay off), or set "
            "BDP_API_REPLICAS=1.",
        )
    return found


def configuration(settings: Settings) -> Path:
    return settings.home / "run" / "haproxy.cfg"


def prepare(settings: Settings, _say: Say) -> None:
    """Write the configuration. Raises Problem where haproxy is not installed."""
    required()
    homes.prepare_socket(settings.home)
    configuration(settings).write_text(render(settings))


def render(settings: Settings) -> str:
    """The configuration for replicas on this machine."""
    servers = [f"{LOOPBACK}:{port}" for port in settings.api_replica_ports]
    admin = (
        f"    stats socket {shlex.quote(str(_socket(settings)))} mode 600 level admin expose-fd listeners\n"
    )
    return _text(
        "Made by `bdp up` from the settings", admin, f"{settings.listen}:{settings.api_port}", servers
    )


def render_compose(settings: Settings) -> str:
    """The text of deploy/compose/haproxy/haproxy.cfg: replicas are found, and found anew, by their names."""
    servers = [
        f"api-{number}:{port} resolvers docker init-addr none"
        for number, port in enumerate(settings.api_replica_ports, 1)
    ]
    return (
        _text(
            "Made from bdp_assets/runtime/haproxy.py by `make compose-files`",
            "",
            f":{settings.api_port}",
            servers,
        )
        + _RESOLVERS
    )


def _text(made: str, admin: str, address: str, places: Sequence[str]) -> str:
    """The API's port on one side, its replicas on the other; one that is not ready gets no calls."""
    away = "\n".join(
        f"    http-error status {status} content-type application/json string '{_AWAY}'"
        for status in (502, 503, 504)
    )
    servers = "\n".join(f"    server {number} {place}" for number, place in enumerate(places, 1))
    return f"""\
# {made}; changes are lost.
global
{admin}{_HEAD}{away}

frontend api
    bind {address}
    default_backend replicas

backend replicas
    balance leastconn
    option httpchk GET /health
    http-check expect status 200
    # Who refuses calls is out at once, not after three checks: the dead always has the fewest calls.
    default-server check inter 1s fall 3 rise 1 observe layer4 error-limit 3 on-error mark-down
{servers}
"""


def admit(settings: Settings, number: int, *, calls: bool) -> None:
    """Send calls to a replica, or no new ones from now on. Where no haproxy runs, nobody sends any."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(_socket(settings)))
        admin.sendall(f"set server replicas/{number} state {'ready' if calls else 'maint'}\n".encode())
        admin.recv(1024)  # It answers when it is done.


def _socket(settings: Settings) -> Path:
    return homes.socket_path(settings.home).with_name("haproxy.sock")


def command(settings: Settings) -> list[str]:
    """In the foreground, as master and worker: the master reloads."""
    return [str(required()), "-W", "-db", "-f", str(configuration(settings))]
