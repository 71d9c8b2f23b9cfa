"""Ratios of whole columns."""

from __future__ import annotations

from typing import Any

from bdp_assets.features.compiled.how import DOUBLE, DOUBLES, DOUBLES_OUT, VOID, compiled


@compiled(VOID(DOUBLES, DOUBLES, DOUBLE, DOUBLES_OUT))
def divided(top: Any, bottom: Any, default: float, out: Any) -> None:
    """top / bottom, or the default where bottom is not above 0."""
    for i in range(len(top)):
        out[i] = top[i] / bottom[i] if bottom[i] > 0 else default
