"""An empty folder with ports of its own, where `bdp` of installed wheels is typed as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bdp_assets.runtime import ports, services

_MODEL = """
from pathlib import Path
from bdp_assets.operations.chaos.model import small_bundle
from bdp_assets.runtime.home import prepare
prepare(Path(".bdp"))
small_bundle(Path(".bdp/models/small"), 1)
Path(".bdp/models/champion").symlink_to("small")
"""


class Elsewhere:
    """`settings`: BDP_ variables by their names in settings.py; the caller's own do not count."""

    def __init__(self, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bdp-wheel-"))
        self.folder.chmod(0o755)  # PostgreSQL does not run as root: its user must get in
        free = {name: str(port) for name, port in ports.choose_free(services.port_settings()).items()}
        self._own = {f"BDP_{name.upper()}": value for name, value in {**free, **settings}.items()}

    def environment(self, installed: Path) -> Mapping[str, str]:
        """Nothing of the checkout, of its environment or of the caller's settings."""
        kept = {name: v for name, v in os.environ.items() if not name.startswith(("BDP_", "PYTHON"))}
        return {**kept, **self._own, "PATH": f"{_bin(installed)}:{kept['PATH']}"}

    def bdp(self, installed: Path, words: str) -> str:
        """The output of a command; exits with it where that fails."""
        return self._run(installed, [str(_bin(installed) / "bdp"), *words.split()], f"bdp {words}")

    def python(self, installed: Path, code: str) -> str:
        return self._run(installed, [str(_bin(installed) / "python"), "-c", code], "python")

    def begin(self, installed: Path, words: str) -> subprocess.Popen[str]:
        """A command that runs beside others; its output is read at its end."""
        sys.stdout.write(f"bdp {words}: begins\n")
        return subprocess.Popen(
            [str(_bin(installed) / "bdp"), *words.split()],
            cwd=self.folder,
            env=self.environment(installed),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def small_model(self, installed: Path) -> None:
        """One that serves at once: how one is trained is shown by `make demo`."""
        self.python(installed, _MODEL)

    def _run(self, installed: Path, command: list[str], shown: str) -> str:
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(installed),
            text=True,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        sys.stdout.write(f"{shown}: {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
        if done.returncode:
            told = f"{shown} ended with {done.returncode}; data and logs are in {self.folder}"
            sys.exit(f"{done.stdout}\n{told}")
        return done.stdout


def _bin(installed: Path) -> Path:
    return installed.absolute() / "bin"
