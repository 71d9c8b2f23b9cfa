"""Does the lessons of docs/learn as a learner would: `make learn`, on a platform where nobody did them yet.

Each check must fail before its lesson; then all its blocks must work, of which the last one is the check.
The pages say the default ports and BDP_HOME; a platform elsewhere gets its own in their place.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import subprocess
import sys
import time

from bdp_assets.operations.learn.course import LESSONS
from bdp_assets.operations.learn.lesson import Lesson
from bdp_assets.operations.learn.recovery import FOLDER
from bdp_assets.project import PROJECT
from bdp_assets.runtime import services
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.docs.blocks import Block, blocks
from bdp_assets_tests.docs.shell import run


def main() -> int:
    """1 where a lesson can not be done as it stands, or its check does not tell before from after."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("numbers", nargs="*", type=int, help="of lessons; default: all")
    arguments.add_argument("--again", action="store_true", help="the checks may pass before, too")
    asked = arguments.parse_args()
    chosen = [lesson for lesson in LESSONS if lesson.number in (asked.numbers or range(len(LESSONS) + 1))]
    failed = [str(lesson.number) for lesson in chosen if not _works(lesson, again=asked.again)]
    sys.stdout.write(f"{len(chosen) - len(failed)} of {len(chosen)} lessons work\n")
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return bool(failed)


def _works(lesson: Lesson, *, again: bool) -> bool:
    begun = time.monotonic()
    fault = (None if again else _passed_before(lesson)) or _first_fault(lesson)
    took = f"{time.monotonic() - begun:.0f} s"
    sys.stdout.write(f"{'FAILED' if fault else 'ok    '} {lesson.number:>2} {lesson.title} ({took})\n")
    sys.stdout.flush()
    if fault:
        sys.stderr.write(f"{fault}\n")
    return fault is None


def _passed_before(lesson: Lesson) -> str | None:
    code, told = _check(lesson)
    if code == 1:
        return None
    return f"before the lesson its check ended with {code}, not 1 (done before? bdp down --wipe): {told}"


def _check(lesson: Lesson) -> tuple[int, str]:
    command = [sys.executable, "-m", "bdp_assets.cli.main", "learn", "check", str(lesson.number)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _first_fault(lesson: Lesson) -> str | None:
    """A step that does not work ends the lesson: those after it build on it."""
    for block in blocks(PROJECT / lesson.page):
        outcome = run(at(block, get_settings()))
        if not outcome.ok:
            return f"{block.place}\n{block.script}{outcome.output}"
    return None


def at(block: Block, settings: Settings) -> Block:
    """The block for a platform at other ports, in another BDP_HOME."""
    script = block.script.replace(".bdp/", f"{settings.home}/")
    script = script.replace(f"{FOLDER}/", f"{settings.home.parent / FOLDER}/")
    for name in services.port_settings():
        default = Settings.model_fields[name].default
        script = re.sub(rf"localhost:{default}\b", f"localhost:{getattr(settings, name)}", script)
    return dataclasses.replace(block, script=script)


if __name__ == "__main__":
    sys.exit(main())
