"""What a BDP_HOME remembers of the settings it was made with, for every later command: its `profile.env`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bdp_assets.runtime import services
from bdp_assets.settings import PROFILE, exported

_HEAD = "# Kept by `bdp up` and `make demo`. Variables and .env win over it; `bdp down --wipe` forgets it.\n"


def read(home: Path) -> dict[str, str]:
    """Variable -> value; empty when nothing is remembered."""
    file = home / PROFILE
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def remember(home: Path, values: Mapping[str, str]) -> None:
    """Add variables to what is there, or give them another value."""
    lines = [f"{name}={value}\n" for name, value in {**read(home), **values}.items()]
    (home / PROFILE).write_text(_HEAD + "".join(lines))


def remember_layout(home: Path) -> None:
    """Ports and number of our programs that this shell has set: the next shell may not know them."""
    names = {f"BDP_{name.upper()}" for name in (*services.port_settings(), "api_replicas")}
    chosen = {name: value for name, value in exported().items() if name in names}
    if chosen:
        remember(home, chosen)
