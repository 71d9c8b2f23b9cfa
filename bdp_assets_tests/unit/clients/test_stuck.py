"""A call that does not come back ends the process; others, however many and slow, do not."""

from __future__ import annotations

import subprocess
import sys
import threading

from bdp_assets.clients.kafka.stuck import EXIT_CODE, Stuck

HANGS = """
import threading
from bdp_assets.clients.kafka.stuck import Stuck

with Stuck(looks=3, look_every_s=0.05):
    threading.Event().wait()
"""


def test_a_call_that_does_not_come_back_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, check=False, timeout=60)

    assert done.returncode == EXIT_CODE
    assert b"does not come back" in done.stderr


def test_many_calls_and_idle_times_do_not() -> None:
    stuck = Stuck(looks=3, look_every_s=3600)

    for _ in range(10):
        with stuck:
            assert not any(stuck.look() for _ in range(3)), "the first look only meets the call"
        assert not any(stuck.look() for _ in range(10)), "nothing is called"
    with stuck:
        assert [stuck.look() for _ in range(4)] == [False, False, False, True]


def test_who_watches_leaves_with_what_it_watches() -> None:
    before = set(threading.enumerate())
    stuck = Stuck(look_every_s=3600)
    [watcher] = set(threading.enumerate()) - before

    del stuck

    watcher.join(60)
    assert not watcher.is_alive()


def test_who_watches_does_not_keep_it() -> None:
    looks = threading.Event()

    class Looked(Stuck):
        def look(self) -> bool:
            looks.set()
            return False

    before = set(threading.enumerate())
    stuck = Looked(look_every_s=0.001)
    [watcher] = set(threading.enumerate()) - before
    assert looks.wait(60)

    del stuck

    watcher.join(60)
    assert not watcher.is_alive()
