"""`make test-wheel`: the platform from its wheel alone, in an empty folder: up, traffic, proof, down.

Everything is typed as a user would, with the `bdp` of a virtual environment that has the locked distributions
and the wheel.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bdp_assets_tests.supply_chain.elsewhere import Elsewhere

_CARRIED = "from bdp_assets.project import FILES; print(FILES)"
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
    here = Elsewhere()
    carried = here.python(environment, _CARRIED)
    assert Path(carried.strip()).is_relative_to(environment.absolute()), carried
    try:
        for words in COMMANDS:
            if words == "up":
                here.small_model(environment)
            here.bdp(environment, words)
    finally:
        here.bdp(environment, "down")
    here.bdp(environment, "down --wipe")
    shutil.rmtree(here.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
