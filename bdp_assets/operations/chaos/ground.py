"""The platform that chaos is done to: its own folder and ports, ended and removed afterwards.

What an earlier run left that was itself killed is ended first: its folder names its process.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from bdp_assets.clients.lake import Lake
from bdp_assets.operations import start
from bdp_assets.operations.chaos.model import small_bundle
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.project import PROJECT
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import logs, orphans, platform, ports, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.starter import Report
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import World, midnight

_PREFIX = "bdp-chaos-"


def refuse_own_systems(settings: Settings, dotenv: Path = PROJECT / ".env") -> None:
    """Chaos breaks only what it has made itself. Raises Problem where a setting names a system of yours."""
    beside = Settings(_env_file=dotenv)  # type: ignore[call-arg]
    named = sorted({*settings.own_systems, *beside.own_systems})
    named += ["BDP_LAKE_URL"] if {settings.lake_url, beside.lake_url} != {None} else []
    if named:
        raise Problem(
            f"{', '.join(dict.fromkeys(named))} is set, and chaos would break what it names.",
            "Unset it (also in .env): `bdp chaos` makes a platform of its own.",
        )


@contextmanager
def ground(seed: int, programs: Sequence[str], now_ms: int, report: Report) -> Iterator[Settings]:
    """Settings of a running platform with an empty past, which is ended afterwards.

    Its folder stays, but after Ctrl+C.
    """
    _remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    home.chmod(0o755)  # PostgreSQL does not run as root: its user must get in
    settings = own_settings(home)
    try:
        _furnish(settings, seed, now_ms)
        _log_to(settings)
        start.up(settings, programs, report=report)
        rebuild_store(settings, Lake.of(settings), lag_s=0)
        yield settings
    except KeyboardInterrupt:
        _end(settings)
        shutil.rmtree(home)
        raise
    finally:
        _end(settings)


def _end(settings: Settings) -> None:
    """Everything that runs here; the second time there is nothing."""
    platform.down(settings)
    orphans.end(orphans.find(settings.home))


def own_settings(home: Path) -> Settings:
    """Every setting at its default, whatever the caller's environment says, on free ports in `home`."""
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    own = {**ports.choose_free(services.port_settings()), "home": home, "kill_points": home / "kill-points"}
    return Settings(_env_file=None, **{**defaults, **own})  # type: ignore[call-arg]


def _furnish(settings: Settings, seed: int, now_ms: int) -> None:
    """Customers who pay, and a model that decides."""
    homes.prepare(settings.home)
    (settings.home / "kill-points").mkdir()
    World(seed=seed, customers=300, merchants=100).history(midnight(now_ms), 1).write(
        settings.home / "history"
    )
    small_bundle(settings.models_dir / "small", seed)
    (settings.models_dir / "champion").symlink_to("small")


def _log_to(settings: Settings) -> None:
    """What our clients complain of while everything is being killed is for a file."""
    logging.basicConfig(filename=logs.path(settings.home, "chaos"), format="%(asctime)s %(name)s %(message)s")


def _remove_leftovers() -> None:
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = home.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)) and home.stat().st_uid == os.geteuid():
            left = orphans.find(home)
            orphans.end(left, patience_s=3)
            if left:
                shutil.rmtree(home, ignore_errors=True)
