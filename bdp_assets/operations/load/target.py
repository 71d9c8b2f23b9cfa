"""Where the load goes: on this machine, or where the caller says that the target is theirs."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings


class Address(NamedTuple):
    """Of an HTTP server."""

    host: str
    port: int


def api_address(settings: Settings, url: str | None, *, is_mine: bool) -> Address:
    """Of the platform's API, or of the one that `url` (http://host[:port]) names.

    Raises Problem: another kind of URL, or not on loopback without the caller's word.
    """
    if url is None:
        return Address(LOOPBACK, settings.api_port)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "http" or parts.path.strip("/"):
        raise Problem(
            "--url is not of the form http://host:port.", "Leave it out for the platform's own API."
        )
    _refuse_foreign(host, "--url", is_mine=is_mine)
    return Address(host, port)


def refuse_foreign_kafka(settings: Settings, *, is_mine: bool) -> None:
    """Raises Problem where one of the brokers is not on loopback without the caller's word."""
    for broker in settings.kafka.split(","):
        host = broker.strip().rpartition(":")[0].strip("[]")
        _refuse_foreign(host, "BDP_KAFKA_BOOTSTRAP", is_mine=is_mine)


def _refuse_foreign(host: str, named_by: str, *, is_mine: bool) -> None:
    if not is_mine and not _is_loopback(host):
        raise Problem(
            f"{named_by} is not on this machine, and a load run could take it down.",
            "If it is yours to load, add --i-own-this-target.",
        )


def _is_loopback(host: str) -> bool:
    """By its address; of names `localhost` alone, since any other may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
