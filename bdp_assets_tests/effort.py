"""How hard property tests try: a share while one writes code, all in `make test`, more in `make test-all`."""

from __future__ import annotations

import os

EFFORT = os.environ.get("TEST_EFFORT", "quick")
_MORE = 5
_QUICK = 100


def cases(n: int) -> int:
    """`n` with TEST_EFFORT=full, five times as many with TEST_EFFORT=soak; else a tenth, from 5 to 100."""
    if EFFORT == "soak":
        return _MORE * n
    return n if EFFORT == "full" else min(n, max(5, min(n // 10, _QUICK)))
