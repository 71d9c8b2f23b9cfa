"""How hard property tests try: little while one writes code, more in `make test`, most in `make test-all`."""

from __future__ import annotations

import os

EFFORT = os.environ.get("TEST_EFFORT", "quick")
_MOST, _FULL, _QUICK = 5, 0.4, 0.1
_LEAST, _QUICKLY_DONE = 5, 100


def cases(n: int) -> int:
    """Five times `n` with TEST_EFFORT=soak, two fifths of it with full; else a tenth, 100 at most."""
    if EFFORT == "soak":
        return _MOST * n
    some = round(_FULL * n) if EFFORT == "full" else min(round(_QUICK * n), _QUICKLY_DONE)
    return min(n, max(_LEAST, some))
