"""One program in the foreground, without the supervisor: what a container is for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NoReturn

from bdp_assets.runtime import home as homes
from bdp_assets.runtime import services
from bdp_assets.runtime.parts import Program, Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def become(settings: Settings, name: str, say: Say) -> NoReturn:
    """Prepare the program and turn into it. Raises Problem: there is no such one, or it can not start."""
    program = services.find(name)
    if program.is_replaced(settings):
        variable = f"BDP_{str(program.replaced_by).upper()}"
        raise Problem(f"{variable} names a {name} of your own.", f"Leave {variable} out for this process.")
    homes.prepare(settings.home)
    program.prepare(settings, say)
    command = program.command(settings)
    os.execvpe(command[0], command, environment(settings, program))  # noqa: S606 - no shell is what we want


def environment(settings: Settings, program: Program) -> Mapping[str, str]:
    """What the program gets: this process' own, with what the supervisor would give it."""
    own = {"BDP_HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **settings.chosen(), **own, **program.environment(settings)}
