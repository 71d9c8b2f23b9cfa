"""The terminal recording in the README, from a real run on what `make demo` started: `make recording`.

Each command runs in a terminal of its own (a pty), so it prints as it does for people. The picture
names no font that would be fetched.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bdp_assets.runtime import services
from bdp_assets.runtime.home import PROJECT
from bdp_assets.settings import Settings, get_settings

WIDTH, HEIGHT = 104, 60
MOST_BYTES = 200_000
COMMANDS = (
    ("status",),
    ("decisions", "show", "test-123", "--customer", "customer-456"),
    ("verify",),
)
_FETCHED = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_ELSEWHERE = re.compile(r"(?:url\(|href=|@import)\s*[\"']?https?:")
_FIRST_LINES = 24
"""Of each command: what follows is told by its last line."""


def main() -> int:
    """1 where a command fails, or the picture is too large to be kept in the repository."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, default=PROJECT / "docs/images/demo.svg")
    output: Path = arguments.parse_args().output
    console = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    for command in COMMANDS:
        code, printed = run_in_terminal([sys.executable, "-m", "bdp_assets.cli.main", *command])
        if code:
            sys.stderr.write(f"bdp {' '.join(command)} ended with {code}:\n{printed}\n")
            return 1
        console.print(f"[bold green]$[/] [bold]bdp {' '.join(command)}[/]", highlight=False)
        console.print(Text.from_ansi(shown(printed, get_settings())), no_wrap=True, overflow="ellipsis")
    picture = _FETCHED.sub("", console.export_svg(title="bdp"))
    if len(picture.encode()) > MOST_BYTES or _ELSEWHERE.search(picture):
        sys.stderr.write("The picture is too large, or would fetch something: show less.\n")
        return 1
    output.write_text(picture)
    return 0


def run_in_terminal(command: list[str]) -> tuple[int, str]:
    """Exit code, and all that the command wrote to a terminal of WIDTH columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = bytearray()
    while chunk := _read(ours):
        written += chunk
    os.close(ours)
    return process.wait(), written.decode()


def _read(terminal: int) -> bytes:
    """Nothing once its last writer has gone, which Linux tells as an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def shown(printed: str, settings: Settings) -> str:
    """The first lines and the last one, at the default ports, as a platform of one's own has them."""
    for name in services.port_settings():
        default = Settings.model_fields[name].default
        printed = re.sub(rf":{getattr(settings, name)}\b", f":{default}", printed)
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    if len(lines) > _FIRST_LINES:
        lines = [*lines[: _FIRST_LINES - 2], "...", lines[-1]]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
