"""For every test: no settings but its own, and how hard property tests that do not say so themselves try."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from functools import cache

import pytest
import typer.testing
from hypothesis import settings

from bdp_assets_tests.effort import cases

# What the developer has set, or `make demo` has left in the checkout, is not what a test is about. Here and
# not in a fixture: the partitions of assets are read while tests are collected.
_OF_THE_MACHINE = {"BDP_AUTO_INSTALL", "BDP_KAFKA_HEAP_MB", "BDP_RECORD"}
for _name in [name for name in os.environ if name.startswith("BDP_") and name not in _OF_THE_MACHINE]:
    del os.environ[_name]
_HOME = tempfile.TemporaryDirectory(prefix="bdp-no-home-")
os.environ["BDP_HOME"] = _HOME.name

# A run that a shell has in its background starts deaf to Ctrl+C. Dagster, which with every run of a job gives
# SIGTERM the handler of SIGINT, would make it, and every child from then on, deaf to SIGTERM as well.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Whoever types a command has Typer build every command there is, anew.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]

# No deadline: other work on the machine would fail a test that is right.
settings.register_profile("bdp", max_examples=cases(100), deadline=None)
settings.load_profile("bdp")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported stays: nobody looks for garbage in it, now (a quarter of the time) or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
