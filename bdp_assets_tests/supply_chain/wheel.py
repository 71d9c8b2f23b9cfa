"""`make test-wheel`: the platform from its wheel alone, in an empty folder: up, traffic, proof, down.

Everything is typed as a user would, with the `bdp` of a virtual environment that has the locked distributions
and the wheel. Only the model is not trained, which `make demo` shows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bdp_assets.runtime import ports, services

_CARRIED = "from bdp_assets.project import FILES; print(FILES)"
_MODEL = """
from pathlib import Path
from bdp_assets.operations.chaos.model import small_bundle
from bdp_assets.runtime.home import prepare
prepare(Path(".bdp"))
small_bundle(Path(".bdp/models/small"), 1)
Path(".bdp/models/champion").symlink_to("small")
"""
COMMANDS = (
    "setup",
    "simulate history --days 1 --customers 300 --merchants 100",
    "up",
    "migrate",
    "features rebuild-online",
    "simulate traffic --seconds 5 --rate 50 --api-share 0.5",
    "verify --wait 300",
)


def main(environment: Path) -> int:
    """Ends with the output of a command that failed; then the platform is stopped, and its folder stays."""
    folder = Path(tempfile.mkdtemp(prefix="bdp-wheel-"))
    folder.chmod(0o755)  # PostgreSQL does not run as root: its user must get in
    variables = _variables(environment)
    binaries = environment.absolute() / "bin"
    carried = _run([str(binaries / "python"), "-c", _CARRIED], folder, variables)
    assert Path(carried.strip()).is_relative_to(environment.absolute()), carried
    try:
        for words in COMMANDS:
            if words == "up":
                _run([str(binaries / "python"), "-c", _MODEL], folder, variables)
            _run([str(binaries / "bdp"), *words.split()], folder, variables)
    finally:
        _run([str(binaries / "bdp"), "down"], folder, variables)
    _run([str(binaries / "bdp"), "down", "--wipe"], folder, variables)
    shutil.rmtree(folder)
    return 0


def _variables(environment: Path) -> Mapping[str, str]:
    """Ports of its own; nothing of the checkout, of its environment or of the caller's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BDP_", "PYTHON"))}
    path = f"{environment.absolute() / 'bin'}:{kept['PATH']}"
    free = ports.choose_free(services.port_settings())
    return {**kept, **{f"BDP_{name.upper()}": str(port) for name, port in free.items()}, "PATH": path}


def _run(command: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Its output; exits with it where the command fails."""
    began = time.monotonic()
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, env=variables, text=True, check=False, **both)
    shown = "python" if command[1] == "-c" else " ".join(["bdp", *command[1:]])
    sys.stdout.write(f"{shown}: {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()
    if done.returncode:
        sys.exit(f"{done.stdout}\n{shown} ended with {done.returncode}; data and logs are in {folder}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
