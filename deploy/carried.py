"""A build hook: the wheel carries what pyproject.toml lists; an editable installation has the checkout."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Carried(BuildHookInterface):  # type: ignore[type-arg]
    """hatch's own `force-include` would leave copies beside an editable installation, too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"] |= self.config["files"]
