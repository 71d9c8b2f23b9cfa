"""The lessons' pages are those of the course, each ends with its check, and steps that checks name exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from bdp_assets.operations.learn.course import LESSONS, check, find
from bdp_assets.operations.learn.lesson import Lesson, Level
from bdp_assets.project import PROJECT
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from bdp_assets_tests.docs.blocks import Block, blocks
from bdp_assets_tests.docs.lessons import at
from bdp_assets_tests.docs.pages import DOCS

EACH = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
_STEP = re.compile(r"^## Step (\d+): ", re.MULTILINE)
_NAMED = re.compile(r"Missing\([^\n]*, (\d+)\)")
PARTS = ("**Goal:**", "**You need:**", "## Why it works so", "## What you built")


def text(lesson: Lesson) -> str:
    return (PROJECT / lesson.page).read_text()


def test_the_course_is_numbered_and_grows_harder() -> None:
    assert [lesson.number for lesson in LESSONS] == list(range(1, 13))
    assert [lesson.level for lesson in LESSONS] == [level for level in Level for _ in range(4)]


def test_every_page_is_a_lesson_and_every_lesson_is_in_the_list_and_the_menu() -> None:
    pages = {f"docs/learn/{page.name}" for page in (DOCS / "learn").glob("[0-9]*.md")}
    assert pages == {lesson.page for lesson in LESSONS}
    overview, menu = (DOCS / "learn/index.md").read_text(), (PROJECT / "mkdocs.yml").read_text()
    for lesson in LESSONS:
        assert f"| {lesson.number} | [{lesson.title}]({Path(lesson.page).name}) |" in overview
        assert f"- learn/{Path(lesson.page).name}\n" in menu


@EACH
def test_a_page_has_all_its_parts_and_its_steps_in_order(lesson: Lesson) -> None:
    page = text(lesson)
    assert page.startswith(f"# {lesson.number}. {lesson.title}\n")
    assert [page.count(part) for part in PARTS] == [1] * len(PARTS)
    steps = [int(number) for number in _STEP.findall(page)]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 3


@EACH
def test_its_blocks_end_with_its_own_check(lesson: Lesson) -> None:
    found = blocks(PROJECT / lesson.page)
    assert all(block.of_lesson for block in found)
    assert found[-1].script == f"bdp learn check {lesson.number}\n"


@EACH
def test_what_is_missing_names_a_step_of_the_page(lesson: Lesson) -> None:
    source = Path(lesson.look.__code__.co_filename).read_text()
    named = {int(number) for number in _NAMED.findall(source)}
    assert named <= {int(number) for number in _STEP.findall(text(lesson))}
    assert named or "question.step" in source


@pytest.mark.parametrize("number", [0, 13, -1])
def test_a_lesson_that_is_none_is_told(tmp_path: Path, number: int) -> None:
    with pytest.raises(Problem, match="bdp learn list"):
        check(Settings(_env_file=None, home=tmp_path), number)  # type: ignore[call-arg]


def test_a_lesson_is_found_by_its_number() -> None:
    assert find(12).name == "recovery"


def test_a_step_is_told_the_ports_and_the_folder_of_a_platform_elsewhere(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", api_port=31000, kafka_port=31001)  # type: ignore[call-arg]
    script = "curl http://localhost:5001/x -d @.bdp/learn/a; b localhost:9092 localhost:50011 .bdp-lesson/c"
    moved = at(dataclasses.replace(Block("p.md", 1, script, needs_platform=False)), settings).script
    assert moved == (
        f"curl http://localhost:31000/x -d @{tmp_path}/home/learn/a; b localhost:31001 localhost:50011 "
        f"{tmp_path}/.bdp-lesson/c"
    )
