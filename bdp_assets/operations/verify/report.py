"""A verification for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.text import Text

from bdp_assets.operations.ledger_table import as_json, as_tables, equations_json
from bdp_assets.operations.verify.verification import Verification


def as_text(found: Verification) -> Group:
    """Tables, what is not drained, and the verdict."""
    behind = ", ".join(f"{part} {number:,}" for part, number in found.lag.items() if number)
    parts: list[Any] = [as_tables(found.ledger, found.groups, found.notes)]
    if behind:
        parts.append(Text(f"Not drained, so not proved yet: {behind} (`--wait SECONDS`).", style="yellow"))
    if found.broken:
        parts.append(Text(f"BROKEN: {'; '.join(found.broken)}", style="red"))
    else:
        parts.append(Text("Nothing lost, nothing doubled.", style="green"))
    return Group(*parts)


def as_values(found: Verification) -> dict[str, Any]:
    """The ledger's values, and `holds`, `broken`, `drained`, `lag`, `notes`, `proofs`: equations by group."""
    return {
        **as_json(found.ledger),
        "holds": found.holds,
        "broken": found.broken,
        "drained": found.drained,
        "lag": dict(found.lag),
        "proofs": {name: equations_json(group) for name, group in found.groups.items()},
        "notes": dict(found.notes),
    }
