from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.topics import RAW
from bdp_assets.ingest.offsets import MOST_OFFSETS, after, due_ranges, run_key

IDS = {RAW.name: "topic-id"}


def test_a_partition_that_nothing_is_known_of_is_due_from_its_first_offset() -> None:
    (cut,) = due_ranges({(RAW.name, 3): (40, 50)}, IDS, {})
    assert (cut.partition, cut.start, cut.end, cut.earliest) == (3, 40, 50, 40)


def test_what_has_landed_is_not_due_again() -> None:
    ends = {(RAW.name, 0): (0, 50), (RAW.name, 1): (0, 50)}
    (cut,) = due_ranges(ends, IDS, {f"{RAW.name}:topic-id:0": 50, f"{RAW.name}:topic-id:1": 20})
    assert (cut.partition, cut.start, cut.end) == (1, 20, 50)


def test_offsets_of_a_topic_that_was_made_anew_are_not_those_of_the_old_one() -> None:
    (cut,) = due_ranges({(RAW.name, 0): (0, 3)}, {RAW.name: "new-id"}, {f"{RAW.name}:topic-id:0": 50})
    assert (cut.topic_id, cut.start, cut.end) == ("new-id", 0, 3)


@given(st.lists(st.integers(0, 3 * MOST_OFFSETS), min_size=1, max_size=10))
def test_ticks_cut_a_growing_topic_into_ranges_without_gap_or_overlap(growth: list[int]) -> None:
    offsets: dict[str, int] = {}
    high, covered = 0, 0
    for more in growth:
        high += more
        ranges = due_ranges({(RAW.name, 0): (0, high)}, IDS, offsets)
        for cut in ranges:
            assert cut.start == covered
            assert 0 < cut.end - cut.start <= MOST_OFFSETS
            covered = cut.end
        offsets = after(offsets, ranges)
    assert covered <= high


def test_the_run_key_names_topic_partition_and_offsets() -> None:
    ends = {(RAW.name, 0): (0, 50), (RAW.name, 1): (7, 9)}
    assert run_key(due_ranges(ends, IDS, {})) == f"{RAW.name}:0:0-50 {RAW.name}:1:7-9"
