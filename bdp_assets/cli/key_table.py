"""How API keys look in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from bento.access.keys import Key, Keys


def listed(keys: Keys, now_ms: int) -> Table:
    table = Table(title=f"{len(keys.keys)} keys", title_justify="left")
    for column in ("name", "id", "scopes", "a second", "created", "expires", "old secret until"):
        table.add_column(column, overflow="fold")
    for key in keys.keys:
        table.add_row(*map(escape, _cells(key, now_ms)))
    return table


def _cells(key: Key, now_ms: int) -> tuple[str, ...]:
    expires = "never" if key.expires_ms is None else _day(key.expires_ms)
    older = [one.until_ms for one in key.secrets if one.until_ms is not None and one.is_good(now_ms)]
    return (
        key.name,
        key.id,
        ", ".join(key.scopes),
        "default" if key.rate_per_s is None else f"{key.rate_per_s:,}" if key.rate_per_s else "any",
        _day(key.created_ms),
        f"{expires}, expired" if key.has_expired(now_ms) else expires,
        _day(max(older)) if older else "",
    )


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
