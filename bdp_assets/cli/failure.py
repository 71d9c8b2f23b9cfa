"""What ends a command early is told in a sentence, not in a stack trace."""

from __future__ import annotations

import signal
import threading
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


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl+C does: whoever started processes ends them.

    Ctrl+C too is asked for: a shell gives what it starts in the background a deaf ear for it.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """Set by the first Ctrl+C or SIGTERM; the second is as ever."""
    asked = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(*_: object) -> None:
        asked.set()
        for number, handler in before.items():
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else handler)

    for number in numbers:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible(what_now: str) -> Iterator[None]:
    """Ctrl+C says what goes on and what to type, and leaves with exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"\n{what_now}", err=True)
        raise typer.Exit(130) from None
