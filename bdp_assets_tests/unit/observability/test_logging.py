"""Logs are JSON lines without payload."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bdp_assets.observability.logging import configure


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("worker-1", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_is_one_object_with_the_extra_fields(log: io.StringIO) -> None:
    logging.getLogger("bdp.x").info("two %s", "lines\nhere", extra={"messages": 3})

    (line,) = log.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["ts"].endswith("+00:00")
    assert {key: entry[key] for key in entry if key != "ts"} == {
        "level": "info",
        "service": "worker-1",
        "logger": "bdp.x",
        "message": "two lines\nhere",
        "messages": 3,
    }


def test_an_exception_is_told_by_type_and_place_and_never_by_its_text(log: io.StringIO) -> None:
    try:
        int("4111111111111111x")
    except ValueError:
        logging.getLogger("bdp.x").exception("step failed")

    entry = json.loads(log.getvalue())
    assert entry["error"] == "ValueError"
    assert entry["frames"][0].endswith(" test_an_exception_is_told_by_type_and_place_and_never_by_its_text")
    assert "4111" not in log.getvalue()
