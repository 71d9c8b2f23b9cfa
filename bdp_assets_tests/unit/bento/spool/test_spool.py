"""The spool against a list: whatever is written, killed, torn and sent in between, in order and once."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from bdp_assets.contracts.topics import RAW
from bdp_assets_tests.effort import cases
from bento.spool import spool as module
from bento.spool.frames import Arrival, Came, Settled, packed, unpacked
from bento.spool.reader import Reader
from bento.spool.segments import segment, segments
from bento.spool.spool import Spool

MOST = 2**30
actions = st.lists(
    st.one_of(
        st.tuples(st.just("came"), st.integers(1, 4)),
        st.tuples(st.just("settled"), st.booleans()),
        st.tuples(st.just("read"), st.integers(1, 5)),
        st.tuples(st.just("forget"), st.integers(1, 5)),
        st.tuples(st.just("killed"), st.integers(0, 30)),
    ),
    max_size=40,
)


def arrival(text: str) -> Arrival:
    return Arrival("customer", text.encode() * 20, (("request-id", b"r"),), 1_000)


class Twin:
    """A spool beside a list of what must come out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = Spool(root, MOST)
        self.reader = Reader(self.spool.folder, 0)
        self.came = 0
        self.open: list[int] = []
        self.outcomes: dict[int, Settled] = {}
        self.read: list[int] = []

    def do(self, action: str, how: int) -> None:
        getattr(self, f"_{action}")(how)

    def _came(self, count: int) -> None:
        numbers = self.spool.came([arrival(str(self.came + i + 1)) for i in range(count)])
        assert numbers == list(range(self.came + 1, self.came + count + 1))
        self.came += count
        self.open += numbers

    def _settled(self, sends: int) -> None:
        if self.open:
            outcome = Settled(self.open.pop(0), bool(sends), b"decision")
            self.outcomes[outcome.number] = outcome
            self.spool.settled([outcome])

    def _read(self, most: int) -> None:
        for came, outcome in self.reader.ready(most):
            assert came.number == (self.read[-1] if self.read else self.spool.sent) + 1
            assert came.arrival == arrival(str(came.number))
            assert outcome == self.outcomes[came.number]
            self.read.append(came.number)

    def _forget(self, back: int) -> None:
        if self.read and self.read[-1] - back > self.spool.sent:
            self.spool.forget(self.read[-1] - back)

    def _killed(self, torn: int) -> None:
        """And in the middle of its next write."""
        sent = self.spool.sent
        self.spool.close()
        with segments(self.spool.folder)[-1].open("ab") as file:
            file.write(packed([Settled(10**9, sends=True, decision=b"never answered")])[:torn])
        self.spool = Spool(self.root, MOST)
        assert self.spool.sent == sent
        self.outcomes |= {number: Settled(number, sends=True) for number in self.open}
        self.open = []
        self.reader, self.read = Reader(self.spool.folder, sent), []


@settings(max_examples=cases(300), deadline=None)
@given(actions, st.sampled_from((64, 700, 2**20)))
def test_what_is_written_comes_out_in_order_with_its_outcome(
    todo: list[tuple[str, int]], segment_bytes: int
) -> None:
    with TemporaryDirectory() as folder, mock.patch.object(module, "SEGMENT_BYTES", segment_bytes):
        twin = Twin(Path(folder))
        for action, how in todo:
            twin.do(action, how)
        twin.do("killed", 0)
        twin.do("read", 10_000)
        assert twin.spool.waiting == len(twin.read)
        if twin.read:
            assert twin.read[-1] == twin.came
            twin.spool.forget(twin.came)
        assert twin.spool.waiting == 0
        twin.spool.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path, MOST)
    yield spool
    spool.close()


def test_whoever_sends_is_woken_by_outcomes_alone(spool: Spool) -> None:
    numbers = spool.came([arrival("1"), arrival("2")])
    assert not spool.written.is_set(), "there is nothing to send yet"
    spool.settled([Settled(number, sends=True) for number in numbers])
    assert spool.written.is_set()


def test_what_was_sent_leaves_the_disk(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 100)
    for _ in range(10):
        numbers = spool.came([arrival("x")])
        spool.settled([Settled(number, sends=True) for number in numbers])
    assert len(segments(spool.folder)) > 5
    before = spool.size_bytes
    spool.forget(10)
    assert len(segments(spool.folder)) == 1
    assert spool.size_bytes == segments(spool.folder)[0].stat().st_size < before


def test_a_small_spool_that_was_full_has_room_when_it_was_sent(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100_000)
    while spool.has_room([b"x" * 500]):
        numbers = spool.came([arrival("x" * 25)])
        spool.settled([Settled(number, sends=True) for number in numbers])
    spool.forget(numbers[-1])
    assert spool.has_room([b"x" * 500] * 7)
    spool.close()


def test_it_says_when_it_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100_000)
    assert spool.has_room([b"x"] * 10)
    assert not spool.has_room([b"x"] * 13)
    spool.came([arrival("x" * 2_000)])
    assert not spool.has_room([b"x"] * 10)
    spool.close()


def test_each_process_has_a_folder_and_the_next_one_takes_over_what_is_left(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, MOST), Spool(tmp_path, MOST)
    assert first.folder != second.folder
    first.came([arrival("1")])
    first.close()
    again = Spool(tmp_path, MOST)
    assert again.folder == first.folder
    [one] = Reader(again.folder, again.sent).ready(10)
    assert one.outcome == Settled(1, sends=True)
    again.close()
    second.close()


def test_what_nobody_comes_back_for_is_taken_up_once_and_left_empty(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, MOST), Spool(tmp_path, MOST)
    second.settled([Settled(number, sends=True) for number in second.came([arrival("1")])])
    second.came([arrival("2")])
    assert first.left_behind() is None, "both are held"
    second.close()
    left = first.left_behind()
    assert left is not None
    assert (left.folder, left.waiting) == (second.folder, 2)
    assert first.left_behind() is None
    assert [one.came.arrival for one in Reader(left.folder, left.sent).ready(10)] == [
        arrival("1"),
        arrival("2"),
    ]
    left.forget(2)
    left.leave()
    assert first.left_behind() is None, "there is nothing in it"
    again = Spool(tmp_path, MOST)
    assert (again.folder, again.waiting, again.came([arrival("3")])) == (second.folder, 0, [3])
    again.close()
    first.close()


def test_what_can_not_be_taken_up_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Spool(tmp_path, MOST), Spool(tmp_path, MOST)
    second.came([arrival("1")])
    second.close()
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "_opened", mock.Mock(side_effect=OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError, match="full"):
            first.left_behind()
    left = first.left_behind()
    assert left is not None
    left.close()
    first.close()


def test_a_full_disk_writes_nothing_and_loses_no_outcome(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    [number] = spool.came([arrival("1")])
    size, write = spool.size_bytes, os.write
    for fails in (_refused, lambda file, content: write(file, content[: len(content) // 2])):
        monkeypatch.setattr(os, "write", fails)
        with pytest.raises(OSError, match="space"):
            spool.came([arrival("2")])
        with pytest.raises(OSError, match="space"):
            spool.settled([Settled(number, sends=False)])
        assert segments(spool.folder)[0].stat().st_size == size
    monkeypatch.setattr(os, "write", write)
    assert Reader(spool.folder, 0).ready(10) == []
    assert spool.came([arrival("2")]) == [2]
    [one] = Reader(spool.folder, 0).ready(10)
    assert one.outcome == Settled(1, sends=False)


def test_a_disk_that_refuses_the_next_segment_leaves_the_last_one(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 10)
    spool.came([arrival("1")])
    with monkeypatch.context() as refusing:
        refusing.setattr(os, "open", _refused)
        for _ in range(2):
            with pytest.raises(OSError, match="space"):
                spool.came([arrival("2")])
    assert spool.came([arrival("2")]) == [2]
    spool.settled([Settled(1, sends=True), Settled(2, sends=True)])
    assert [one.came.number for one in Reader(spool.folder, 0).ready(10)] == [1, 2]


def _refused(*_: object) -> int:
    raise OSError(errno.ENOSPC, "no space left on device")


def test_a_power_cut_is_waited_for_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    for syncs in (False, True):
        spool = Spool(tmp_path / str(syncs), MOST, syncs=syncs)
        spool.came([arrival("1")])
        spool.close()
    assert len(synced) == 1


class OldArrival(Struct, frozen=True):
    """As spools had it before there were labels."""

    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    received_ms: int


class OldCame(Struct, frozen=True, array_like=True, tag="c"):
    number: int
    arrival: OldArrival


def test_what_an_older_version_left_goes_to_the_raw_topic(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    old = OldCame(1, OldArrival("customer", b"value", (), 1_000))
    segment(tmp_path / "0", 1).write_bytes(packed([old]))  # type: ignore[list-item]
    spool = Spool(tmp_path, MOST)
    [one] = Reader(spool.folder, 0).ready(10)
    assert one.came.arrival == Arrival("customer", b"value", (), 1_000, RAW.name)
    spool.close()


@given(st.lists(st.binary(max_size=40), max_size=5), st.data())
def test_damage_ends_what_counts(values: list[bytes], data: st.DataObject) -> None:
    frames = [Came(i, Arrival("k", value, (), 0)) for i, value in enumerate(values)]
    content = bytearray(packed(frames))
    assert [frame for frame, _ in unpacked(bytes(content))] == frames
    if content:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        found = [frame for frame, _ in unpacked(bytes(content))]
        assert found == frames[: len(found)] != frames


@pytest.mark.parametrize("size", [1, 8, 9, 4096])
def test_after_a_power_cut_zeros_are_as_torn_as_half_a_frame(tmp_path: Path, size: int) -> None:
    """A file system may have noted a file's new length, and not what was written there."""
    spool = Spool(tmp_path, MOST)
    spool.settled([Settled(number, sends=True) for number in spool.came([arrival("1")])])
    spool.close()
    [path] = segments(spool.folder)
    with path.open("ab") as file:
        file.write(bytes(size))
    after = Spool(tmp_path, MOST)
    assert after.came([arrival("2")]) == [2]
    after.settled([Settled(2, sends=True)])
    ready = Reader(after.folder, after.sent).ready(9)
    assert [one.came.arrival for one in ready] == [arrival("1"), arrival("2")]
    after.close()


@pytest.mark.parametrize("mark", [b"", bytes(20), b"0000000000000000000x", b"\xff" * 20])
def test_where_the_mark_is_damaged_all_is_sent_again(tmp_path: Path, mark: bytes) -> None:
    """The stream knows it by its claim."""
    spool = Spool(tmp_path, MOST)
    spool.settled([Settled(number, sends=True) for number in spool.came([arrival("1"), arrival("2")])])
    spool.forget(1)
    spool.close()
    (spool.folder / "sent").write_bytes(mark)
    after = Spool(tmp_path, MOST)
    assert after.waiting == 2
    after.forget(2)
    after.close()
    again = Spool(tmp_path, MOST)
    assert again.waiting == 0
    again.close()


def test_a_file_that_is_not_the_spools_is_let_be(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MOST)
    spool.settled([Settled(number, sends=True) for number in spool.came([arrival("1")])])
    spool.close()
    copy = spool.folder / "copy of.spool"
    copy.write_bytes(b"anything")
    after = Spool(tmp_path, MOST)
    assert (after.waiting, copy.read_bytes()) == (1, b"anything")
    after.close()
