"""How hard property tests try: a share of the cases while one writes code, all of them in `make test`."""

from __future__ import annotations

import os

FULL = os.environ.get("TEST_EFFORT") == "full"


def cases(n: int) -> int:
    """`n` with TEST_EFFORT=full; else a tenth of it, at least five."""
    return n if FULL else min(n, max(5, n // 10))
