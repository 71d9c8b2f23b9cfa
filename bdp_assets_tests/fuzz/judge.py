"""What must hold of every answer, whatever was asked."""

from __future__ import annotations

import json
import re
from typing import Any

from bdp_assets_tests.fakes.hostile import CANARY, PAN
from bdp_assets_tests.fuzz.calls import Answer

PANS = tuple(text.encode() for text in (PAN, "-".join(PAN[i : i + 4] for i in range(0, 16, 4))))

_UNKNOWN_FIELD = re.compile(rb"([A-Za-z_][A-Za-z0-9_]{0,63}) is not in the contract")
"""An unknown field is named where its name is a plain one (docs/security.md): mutations make such, too."""


def fault(answer: Answer) -> str | None:
    """What is wrong with it, in words that hold nothing of it."""
    if answer.status >= 500:
        return f"it answered {answer.status}"
    if any(pan in answer.head + answer.body for pan in PANS):
        return "a card number came back"
    if CANARY.encode() in _without_names(_refusals(answer)):
        return "a refusal says what was sent"
    return None


def _refusals(answer: Answer) -> bytes:
    """What it says of bad input: a refusal, and a batch's errors. A decision names its transaction."""
    if answer.status >= 400:
        return answer.head + answer.body
    if answer.body[:1] != b"[":
        return b""
    items: list[dict[str, Any]] = json.loads(answer.body)
    return json.dumps([item for item in items if "error" in item]).encode()


def _without_names(refusals: bytes) -> bytes:
    for name in _UNKNOWN_FIELD.findall(refusals):
        refusals = refusals.replace(name, b"")
    return refusals
