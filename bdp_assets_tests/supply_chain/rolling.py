"""`make test-rolling`: under load, a platform goes over to a new version of the code and to a second worker.

Two virtual environments have the locked distributions and a wheel each, that of the second a later version.
Two replicas of the API answer `bdp load`; then the new version's `bdp` looks at the state, restarts them in
turn, restarts the worker, and adds another. No call may fail, and `bdp verify` has the last word.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bdp_assets_tests.supply_chain.elsewhere import Elsewhere

_VERSION = "from importlib.metadata import version; print(version('bdp-platform'))"
BEFORE = ("setup", "simulate history --days 1 --customers 300 --merchants 100")
STARTED = ("up postgres redis kafka api scoring", "migrate", "features rebuild-online")
MOVES = ("upgrade --check", "restart api", "restart scoring")
RATE, SECONDS, SETTLED_S = 20, 120, 5


def main(old: Path, new: Path) -> int:
    """Ends with the output of a command that failed; then the platform is stopped, and its folder stays."""
    here = Elsewhere(api_replicas="2")
    versions = [here.python(one, _VERSION).strip() for one in (old, new)]
    assert versions[0] != versions[1], versions
    try:
        for words in BEFORE:
            here.bdp(old, words)
        here.small_model(old)
        for words in STARTED:
            here.bdp(old, words)
        _under_load(here, old, new)
        here.bdp(new, "up")
        here.bdp(new, "verify --wait 300")
    finally:
        here.bdp(new, "down")
    here.bdp(new, "down --wipe")
    shutil.rmtree(here.folder)
    sys.stdout.write(f"from {versions[0]} to {versions[1]}: nothing lost, nothing doubled\n")
    return 0


def _under_load(here: Elsewhere, old: Path, new: Path) -> None:
    load = here.begin(old, f"load --rate {RATE} --duration {SECONDS} --json")
    try:
        time.sleep(SETTLED_S)
        for words in MOVES:
            here.bdp(new, words)
        with _second_worker(here, new):
            _require_new(here, new)
            told, _ = load.communicate()
    finally:
        load.kill()
    report = json.loads(told.splitlines()[-1])["all"]
    sys.stdout.write(f"{json.dumps(report)}\n")
    assert set(report["outcomes"]) <= {"200", "200 degraded"}, report["outcomes"]


@contextmanager
def _second_worker(here: Elsewhere, new: Path) -> Iterator[None]:
    """Slot 1, which drains and leaves when the load is over."""
    worker = here.begin(new, "stream scoring --slot 1")
    try:
        time.sleep(SETTLED_S)
        assert worker.poll() is None, "the second worker ended"
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)


def _require_new(here: Elsewhere, new: Path) -> None:
    """Every API process and worker of this folder is the new version's."""
    python = str(new.absolute() / "bin" / "python")
    running = [one for one in psutil.process_iter() if _works_in(one, here.folder)]
    ours = [one for one in running if {"bentoml", "stream"} & set(one.cmdline())]
    assert len(ours) >= 4, ours
    for one in ours:
        assert one.cmdline()[0].startswith(python), one.cmdline()


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder) or str(folder) in str(process.environ())
    except (psutil.Error, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
