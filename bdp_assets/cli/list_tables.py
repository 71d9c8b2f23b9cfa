"""How the lists and their audit look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from bdp_assets.operations.lists.changes import Change, Entry


def entry_table(entries: Sequence[Entry]) -> Table:
    columns = ("entry", "list", "kind", "id", "until", "state", "added", "by", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for one in entries:
        whom = (one.entry_id, one.list, one.kind, escape(one.id))
        until = _time(one.expires_at) if one.expires_at else ""
        table.add_row(
            *whom, until, _state(one), _time(one.added_at), escape(one.added_by), escape(one.reason)
        )
    return table


def audit_table(changes: Sequence[Change]) -> Table:
    columns = ("when", "by", "action", "entry", "list", "kind", "id", "until", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for one in changes:
        what = (one.action, one.entry_id, one.list, one.kind, escape(one.id))
        until = _time(one.expires_at) if one.expires_at else ""
        table.add_row(_time(one.changed_at), escape(one.changed_by), *what, until, escape(one.reason))
    return table


def _state(entry: Entry) -> str:
    if entry.removed_at is not None:
        return f"removed {_time(entry.removed_at)}"
    return "ended" if entry.expired else "in force"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
