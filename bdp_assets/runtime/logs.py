"""The programs' log files."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def path(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _plain(text: str) -> str:
    """Without the colours that some programs write."""
    return _COLOUR.sub("", text)


def tail(file: Path, lines: int = 20) -> str:
    """The last lines; empty when there is no such file yet."""
    if not file.exists():
        return ""
    with file.open(errors="replace") as log:
        return _plain("".join(deque(log, maxlen=lines))).rstrip()


def follow(file: Path) -> Iterator[str]:
    """Text that is appended from now on, for ever; goes over to the new file when the supervisor rotates."""
    file.touch()
    log = file.open(errors="replace")
    log.seek(0, os.SEEK_END)
    return _appended(file, log)


def _appended(file: Path, log: TextIO) -> Iterator[str]:
    while True:
        text = log.read()
        if text:
            yield _plain(text)
        elif _was_replaced(file, log):
            log.close()
            log = file.open(errors="replace")
        else:
            time.sleep(0.2)


def _was_replaced(file: Path, log: TextIO) -> bool:
    return file.exists() and not os.path.samestat(file.stat(), os.fstat(log.fileno()))
