"""What a `requirements*.lock` pins."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9][^\n\\]*==[^\n\\]*?) *\\?$", re.MULTILINE)


def pins(lock: str) -> list[Requirement]:
    return [Requirement(line) for line in _PIN.findall(lock)]


def pinned_here(lock: str) -> dict[str, str]:
    """Name -> version of what pip installs on this machine, with this Python."""
    here = [pin for pin in pins(lock) if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def without_hash(lock: str) -> list[str]:
    """Pins that pip would refuse with --require-hashes."""
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    return [block.split("\n")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
