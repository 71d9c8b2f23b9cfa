"""Places of refused rows and letters, as they are typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import typer

Place = TypeVar("Place")


def parsed(texts: Sequence[str], place_of: Callable[[str], Place]) -> list[Place]:
    """Raises typer.BadParameter where `place_of` raises ValueError."""
    try:
        return list(map(place_of, texts))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="PLACE") from None
