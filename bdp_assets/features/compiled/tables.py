"""What is packed into one array, found again in it (see `codes`)."""

from __future__ import annotations

from typing import Any

from bdp_assets.features.compiled.how import borrowing, view


@view
def table_of(plan: Any, which: Any) -> Any:
    """One of the tables that a plan is packed from."""
    start, rows, width = plan[3 * which], plan[3 * which + 1], plan[3 * which + 2]
    return plan[start : start + rows * width].reshape((rows, width))


@view
def line_of(plan: Any, which: Any) -> Any:
    """A table of one row."""
    start, width = plan[3 * which], plan[3 * which + 2]
    return plan[start : start + width]


@view
def shaped(room: Any, rows: Any, width: Any) -> Any:
    """So much of a room as a table has cells."""
    return room[: rows * width].reshape((rows, width))


@borrowing
def copy(values: Any, out: Any) -> None:
    """Numbers of one array into another one (a slice that is assigned makes an array between them)."""
    for i in range(len(values)):
        out[i] = values[i]
