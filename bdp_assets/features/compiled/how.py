"""How loops are compiled: by Numba, once for each version of this package's text and their own (see ADR 15).

Machine code is kept beside the files, or in the user's cache folder, and taken from there at the next start.
Numba by itself would look at a file's size and time alone, which say nothing of what it calls in other files.

All arrays are C-contiguous; none of the functions keeps Python's lock, so threads run them side by side.
Doubles are added, divided and rooted one by one, as IEEE 754 says: the bits are those of NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from inspect import getfile
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, types

F = TypeVar("F", bound=Callable[..., Any])

INT, BITS, DOUBLE, BOOL, VOID = types.int64, types.uint64, types.float64, types.boolean, types.void
PAIR = types.UniTuple(INT, 2)
INTS = types.Array(INT, 1, "C", readonly=True)
TABLE = types.Array(INT, 2, "C", readonly=True)
DOUBLES = types.Array(DOUBLE, 1, "C", readonly=True)
INTS_OUT = types.Array(INT, 1, "C")
TABLE_OUT = types.Array(INT, 2, "C")
DOUBLES_OUT = types.Array(DOUBLE, 1, "C")
MATRIX = types.Array(DOUBLE, 2, "C", readonly=True)
MATRIX_OUT = types.Array(DOUBLE, 2, "C")

_HOW: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_TEXTS = b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))


def compiled(signature: Any, *, borrows: bool = False) -> Callable[[F], F]:
    """A function for these types alone, compiled when it is defined; see `borrowing` for what borrows."""
    how = {**_HOW, "_nrt": not borrows}

    def compile_(function: F) -> F:
        function.__qualname__ += f"_{_version(function)}"  # Part of the name of the file that keeps it.
        try:
            return cast(F, njit(signature, cache=True, **how)(function))
        except RuntimeError:  # Nowhere to keep it (a read-only image without a home): again at each start.
            return cast(F, njit(signature, **how)(function))

    return compile_


def _version(function: Callable[..., Any]) -> str:
    own = Path(getfile(function)).read_bytes()
    return sha256(_TEXTS + own).hexdigest()[:16]


def inner(function: F) -> F:
    """A part of compiled functions, for whatever types they call it with."""
    return cast(F, njit(_nrt=True, **_HOW)(function))


def borrowing(function: F) -> F:
    """A part that neither makes arrays nor returns any: those it is given outlive it.

    So Numba need not count who holds them, and each slice of one. It counts atomically, which took 40% of
    the time of what answers a transaction.
    """
    return cast(F, njit(_nrt=False, **_HOW)(function))


def view(function: F) -> F:
    """A part that says which part of an array is meant; it becomes text of those who call it, so that who
    borrows may call it, too."""
    return cast(F, njit(inline="always", **_HOW)(function))
