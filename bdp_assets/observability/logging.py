"""Structured logs: one JSON object a line, and never a payload.

A field is given as `log.info("batch committed", extra={"messages": 12})`. An exception is written as its
type and its frames, without its text: the text of a foreign exception may quote the value that broke it, and
values may hold card numbers. What our own exceptions say is logged by us, as the message.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`ts` (UTC, RFC 3339), `level`, `service`, `logger`, `message`, then the extra fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # A library that marks all records (Ray does) uses names of its own, with an underscore.
        extra = {n: value for n, value in vars(record).items() if n not in _OWN and not n.startswith("_")}
        entry.update(extra)
        if record.exc_info and record.exc_info[1] is not None:
            entry |= describe(record.exc_info[1])
        return json.dumps(entry, default=str)


def describe(error: BaseException) -> dict[str, object]:
    """An exception as loggable fields: `error` (its type) and `frames` (file:line function), not its text."""
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return {"error": type(error).__qualname__, "frames": frames}


def configure(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log record of this process to `stream` (stderr) as JSON; called once, by entry points."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
