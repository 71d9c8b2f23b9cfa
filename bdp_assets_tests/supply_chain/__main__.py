"""`make sbom`: holds dist/sbom.json to requirements.lock and to the licences that we may ship."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from bdp_assets.project import PROJECT
from bdp_assets_tests.supply_chain.licences import Rules, faults
from bdp_assets_tests.supply_chain.locks import pinned_here


def main(file: Path) -> int:
    """1 where something is wrong, each fault on a line."""
    components = json.loads(file.read_text())["components"]
    rules = Rules.of(tomllib.loads((PROJECT / "pyproject.toml").read_text()))
    lock = (PROJECT / "requirements.lock").read_text()
    found = [*differences(components, lock), *faults(components, rules)]
    for line in found:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{file}: {len(components)} distributions, {len(found)} faults\n")
    return bool(found)


def differences(components: list[Mapping[str, Any]], lock: str) -> Iterator[str]:
    """What is in one of the two alone, or in another version."""
    listed = {canonicalize_name(one["name"]): one["version"] for one in components}
    locked = pinned_here(lock)
    for name in sorted(listed.keys() | locked.keys()):
        if listed.get(name) != locked.get(name):
            yield f"{name}: {locked.get(name, 'not')} in the lock, {listed.get(name, 'not')} in the bill"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
