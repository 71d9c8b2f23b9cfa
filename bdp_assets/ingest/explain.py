"""What is wrong with a mapping file, in words that tell what to write."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def explain(error: ErrorDetails, names: Collection[str]) -> str:
    """One of pydantic's errors as a sentence that starts with the place; `names`: what a file may have."""
    # Where a part may be of several classes, pydantic puts their names into the path.
    place = [str(step) for step in error["loc"] if not str(step).endswith("Source")]
    where = ".".join(place) or "the file"
    if error["type"] == "missing":
        return f"{where} is missing: name the column it comes from"
    if error["type"] == "extra_forbidden":
        return f"{where} is not known{_suggestion(place[-1], names)}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _suggestion(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(names))}"
