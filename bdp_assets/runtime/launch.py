"""What the supervisor runs for a program: `python -m bdp_assets.runtime.launch FILE` becomes what FILE says.

The indirection keeps commands and environments out of supervisord.conf, whose quoting knows no escapes and
whose programs can not change while it runs. It runs before every (re)start, so it imports next to nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def describe(command: Sequence[str], environment: Mapping[str, str], *, alone: bool = False) -> str:
    """The text of a FILE. `environment` has every BDP_ variable; the others come from the supervisor.

    `alone`: processes that an earlier, killed start of this program left behind are ended first.
    """
    described = {"command": list(command), "environment": dict(sorted(environment.items())), "alone": alone}
    return json.dumps(described, indent=1)


def command_of(file: Path) -> list[str]:
    """The command in a FILE."""
    command: list[str] = json.loads(file.read_text())["command"]
    return command


def main() -> None:
    program = json.loads(Path(sys.argv[1]).read_text())
    if program["alone"]:
        _end_earlier_ones(program["environment"])
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("BDP_", "SUPERVISOR_"))
    }
    command = program["command"]
    os.execvpe(command[0], command, {**inherited, **program["environment"]})  # noqa: S606 - replacing this process is the purpose


def _end_earlier_ones(environment: Mapping[str, str]) -> None:
    from bdp_assets.runtime import orphans

    home, name = environment[orphans.MARKER], environment[orphans.PROGRAM_MARKER]
    orphans.end(orphans.find(Path(home), [name]), patience_s=3)


if __name__ == "__main__":
    main()
