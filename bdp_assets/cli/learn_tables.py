"""How lessons look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bdp_assets.operations.learn.lesson import Lesson, Missing


def listed(lessons: Sequence[Lesson]) -> Table:
    table = Table("", "level", "lesson", "you build", "page", box=None, header_style="bold")
    for lesson in lessons:
        table.add_row(str(lesson.number), lesson.level, lesson.title, lesson.built, lesson.page)
    return table


def verdict(lesson: Lesson, missing: Sequence[Missing]) -> str:
    """Done, or each thing that is missing with the step that makes it."""
    if not missing:
        return f"Lesson {lesson.number} is done: you have built {lesson.built}."
    lines = [f"- {one.what} Step {one.step} makes it." for one in missing]
    return "\n".join([f"Lesson {lesson.number} is not done yet ({lesson.page}):", *lines])
