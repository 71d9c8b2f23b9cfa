"""Consumer groups of the Quix workers; here, so that whoever measures them need not import the framework."""

from __future__ import annotations

CHAIN, PASS_THROUGH = "bdp-bench-quix-chain", "bdp-bench-quix-pass-through"
