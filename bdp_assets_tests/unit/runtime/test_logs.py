"""Logs: the last lines, and following over a rotation."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.runtime import logs


def test_the_tail_of_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    assert logs.tail(file) == ""
    file.write_bytes(b"one\ntwo \xff\nthree\n")
    assert logs.tail(file, 2) == "two \N{REPLACEMENT CHARACTER}\nthree"


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("\x1b[32m2026-11-24\x1b[0m - \x1b[1;31mERROR\x1b[0m")
    assert logs.tail(file) == "2026-11-24 - ERROR"


def test_follow_gives_what_is_new_and_goes_over_to_the_next_file(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("old\n")
    following = logs.follow(file)
    with file.open("a") as writer:
        writer.write("new\n")
    assert next(following) == "new\n"
    file.rename(tmp_path / "x.log.1")
    file.write_text("after the rotation\n")
    assert next(following) == "after the rotation\n"
