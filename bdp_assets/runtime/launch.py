"""What the supervisor runs for each program: `python launch.py FILE` becomes the program that FILE describes.

The indirection keeps commands and environments out of supervisord.conf, whose quoting knows no escapes and
whose programs can not change while it runs. Standard library only: it runs before every (re)start.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def describe(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """The text of a FILE. `environment` has every BDP_ variable; the others come from the supervisor."""
    return json.dumps({"command": list(command), "environment": dict(sorted(environment.items()))}, indent=1)


def main() -> None:
    program = json.loads(Path(sys.argv[1]).read_text())
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("BDP_", "SUPERVISOR_"))
    }
    command = program["command"]
    os.execvpe(command[0], command, {**inherited, **program["environment"]})  # noqa: S606 - replacing this process is the purpose


if __name__ == "__main__":
    main()
