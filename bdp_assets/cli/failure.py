"""An outside system that is away is told in a sentence, not in a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def told(*kinds: type[Exception]) -> Iterator[None]:
    """Print the message of an exception of these kinds and leave with exit code 2."""
    try:
        yield
    except kinds as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from None
