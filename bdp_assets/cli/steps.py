"""Named steps of one long job, as they start: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Yields the function to call with the name of each step as it starts."""
    console, began = Console(stderr=True), time.monotonic()
    if not console.is_terminal:
        yield lambda step: console.print(f"{time.monotonic() - began:6.1f} s  {step}", highlight=False)
        return
    with console.status("") as status:

        def show(step: str) -> None:
            console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {step}", highlight=False)
            status.update(step)

        yield show
