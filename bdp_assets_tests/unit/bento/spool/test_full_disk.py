"""The spool on a disk that is full: a real one, a small file system in memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bento.spool.frames import Arrival, Settled
from bento.spool.reader import Reader
from bento.spool.spool import Spool

MOST = 2**30
ARRIVAL = Arrival("customer", b"x" * 3_000, (), 1_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk to fill")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "bdp-test", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk to fill: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # A test that fails leaves files open.


def fill(spool: Spool, number: int = 0) -> int:
    """Write until the disk refuses, and to its last byte; the last number that came. Many are open."""
    with pytest.raises(OSError, match="space"):
        while True:
            [number] = spool.came([ARRIVAL])
            if number % 2:
                spool.settled([Settled(number, sends=True)])
    with (spool.folder / "other").open("ab", buffering=0) as other, pytest.raises(OSError, match="space"):
        while True:
            other.write(b"x")
    return number


def drain(spool: Spool) -> list[int]:
    """As `Passage` does it."""
    reader, sent = Reader(spool.folder, spool.sent), []
    while True:
        reader.hear(spool.late)
        ready = reader.ready(10)
        if not ready:
            return sent
        sent += [one.came.number for one in ready]
        spool.forget(sent[-1])


def test_one_that_was_killed_starts_drains_and_answers_again(disk: Path) -> None:
    killed = Spool(disk, MOST)
    last = fill(killed)
    killed.close()

    spool = Spool(disk, MOST)
    with pytest.raises(OSError, match="space"):
        spool.came([ARRIVAL])
    assert drain(spool) == list(range(1, last + 1))
    assert spool.came([ARRIVAL]) == [last + 1]
    spool.close()


def test_one_that_was_sent_by_then_makes_way_at_once(disk: Path) -> None:
    spool = Spool(disk, MOST)
    last = fill(spool)
    # The last outcomes come late: no call writes them.
    with pytest.raises(OSError, match="space"):
        spool.settled([Settled(number, sends=True) for number in range(2, last + 1, 2)])
    assert drain(spool) == list(range(1, last + 1))
    assert spool.came([ARRIVAL]) == [last + 1]
    spool.close()


def test_what_is_gone_was_sent_though_the_disk_refuses_the_mark(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(disk, MOST)
    last = fill(spool)
    with monkeypatch.context() as refusing:
        refusing.setattr(os, "pwrite", _refused)
        with pytest.raises(OSError, match="refused"):
            spool.forget(last)
    assert spool.waiting == 0
    spool.close()
    again = Spool(disk, MOST)
    assert (again.sent, again.waiting) == (last, 0)
    assert again.came([ARRIVAL]) == [last + 1]
    again.close()


def _refused(*_: object) -> int:
    raise OSError("refused")
