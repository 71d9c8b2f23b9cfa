"""Where the benches are: in the checkout, beside the package and not in its wheel."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bdp_assets.project import PROJECT
from bdp_assets.runtime.problems import Problem


def benches(module: str, project: Path = PROJECT) -> ModuleType:
    """A module of `benchmarks/`. Raises Problem where the checkout, or a library it needs, is not there."""
    if not (project / "benchmarks" / "__init__.py").exists():
        raise Problem(
            "The benches are not part of the installed package.",
            "Run `bdp bench` from a checkout of the project, set up by `make setup`.",
        )
    if str(project) not in sys.path:
        sys.path.append(str(project))
    try:
        return import_module(f"benchmarks.{module}")
    except ModuleNotFoundError as missing:
        raise Problem(
            f"The benches need {missing.name}, which is not installed.", "`make setup` installs it."
        ) from missing
