"""Whether calls need a key: `BDP_API_AUTH`, or else what is safe where this process listens."""

from __future__ import annotations

import logging
from collections.abc import Collection
from ipaddress import ip_address

import psutil

from bdp_assets.settings import Settings

_log = logging.getLogger("bdp.api.access")


def is_open(settings: Settings, listening: Collection[str]) -> bool:
    """`listening`: the addresses on which this process takes calls. It is said in the log."""
    if settings.api_auth is not None:
        opened, why = settings.api_auth == "open", f"BDP_API_AUTH is {settings.api_auth}"
    elif settings.own_systems:
        opened, why = False, f"{' and '.join(settings.own_systems)} is set"
    elif not listening or not all(ip_address(address).is_loopback for address in listening):
        opened, why = False, "it does not listen on loopback alone"
    else:
        opened, why = True, "it listens on loopback alone, beside nothing but its own services"
    if opened:
        _log.warning("the API is open: whoever reaches it may call it without a key (%s)", why)
    else:
        _log.info("the API is closed: calls need a key (%s)", why)
    return opened


def listening() -> set[str]:
    """Addresses of this process' listening TCP sockets."""
    sockets = psutil.Process().net_connections("inet")
    return {found.laddr.ip for found in sockets if found.status == psutil.CONN_LISTEN}
