"""Pictures of the terminal, from a real run on what `make demo` started.

`make recording` makes that of the README; `make recording PICTURE=watch` the screen of `bdp status --watch`,
for which traffic should flow (`bdp simulate traffic --api-share 0.4`) and monitoring be on.

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
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bdp_assets.project import PROJECT
from bdp_assets.runtime import services
from bdp_assets.settings import Settings, get_settings

HEIGHT = 60
MOST_BYTES = 200_000


@dataclass(frozen=True)
class Picture:
    """`width`: columns of the terminal; `most_lines`: of a command, what follows is told by its last line."""

    width: int
    most_lines: int
    commands: tuple[tuple[str, ...], ...]


_DECISION = ("decisions", "show", "test-123", "--customer", "customer-456")
PICTURES = {
    "demo": Picture(104, 24, (("status",), _DECISION, ("verify",))),
    "watch": Picture(140, HEIGHT, (("status", "--watch", "--once"),)),
}
"""By the name of the file in docs/images."""
_FETCHED = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_ELSEWHERE = re.compile(r"(?:url\(|href=|@import)\s*[\"']?https?:")


def main() -> int:
    """1 where a command fails, or the picture is too large to be kept in the repository."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--picture", choices=PICTURES, default="demo")
    name: str = arguments.parse_args().picture
    wanted, output = PICTURES[name], PROJECT / "docs" / "images" / f"{name}.svg"
    console = Console(record=True, width=wanted.width, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    for command in wanted.commands:
        code, printed = run_in_terminal([sys.executable, "-m", "bdp_assets.cli.main", *command], wanted.width)
        if code:
            sys.stderr.write(f"bdp {' '.join(command)} ended with {code}:\n{printed}\n")
            return 1
        console.print(f"[bold green]$[/] [bold]bdp {' '.join(command)}[/]", highlight=False)
        text = Text.from_ansi(shown(printed, get_settings(), wanted.most_lines))
        console.print(text, no_wrap=True, overflow="ellipsis")
    picture = _FETCHED.sub("", console.export_svg(title="bdp"))
    if len(picture.encode()) > MOST_BYTES or _ELSEWHERE.search(picture):
        sys.stderr.write("The picture is too large, or would fetch something: show less.\n")
        return 1
    output.write_text(picture)
    return 0


def run_in_terminal(command: list[str], width: int) -> tuple[int, str]:
    """Exit code, and all that the command wrote to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, width, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(width)}
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


def shown(printed: str, settings: Settings, most_lines: int) -> str:
    """The first lines and the last one, at the default ports, as a platform of one's own has them."""
    for name in services.port_settings():
        default = Settings.model_fields[name].default
        printed = re.sub(rf":{getattr(settings, name)}\b", f":{default}", printed)
    # A line of nothing but colours is as empty as any.
    lines = [line.rstrip() for line in printed.splitlines() if Text.from_ansi(line).plain.strip()]
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 2], "...", lines[-1]]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
