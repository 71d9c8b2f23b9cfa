"""How often the supervisor had to bring programs back; its log knows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

_EVENT = re.compile(r" (?P<what>exited|stopped): (?P<name>\S+) \(|(?P<begin>supervisord started) with pid ")


def count(text: str) -> Counter[str]:
    """Program -> ends that nobody asked for since it was last stopped, or the supervisor started."""
    ends: Counter[str] = Counter()
    for event in _EVENT.finditer(text):
        if event["begin"]:
            ends.clear()
        elif event["what"] == "stopped":
            del ends[event["name"]]
        else:
            ends[event["name"]] += 1
    return ends


def read(home: Path) -> Counter[str]:
    """As `count`, of the supervisor of a BDP_HOME; none where there never was one."""
    try:
        return count((home / "logs" / "supervisord.log").read_text(errors="replace"))
    except FileNotFoundError:
        return Counter()
