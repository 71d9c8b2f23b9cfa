"""The compose files as tests read them: merged, with variables of the user's filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / "deploy" / "compose"
FILES = [FOLDER / "docker-compose.refactored.yml", FOLDER / "docker-compose.monitoring.yml"]
DOCKERFILE = PROJECT / "deploy" / "docker" / "platform.Dockerfile"
OURS = "bdp-platform:"

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::([?-])([^}]*))?\}")
Service = Mapping[str, Any]


def user_variables() -> dict[str, set[str]]:
    """Variable of the user's -> how it is asked for: `?` (must be set), `-default`, or nothing."""
    found: dict[str, set[str]] = {}
    for file in FILES:
        for name, how, rest in _VARIABLE.findall(_without_comments(file)):
            found.setdefault(name, set()).add(how + (rest if how == "-" else ""))
    return found


def services(values: Mapping[str, str]) -> dict[str, Service]:
    """By name; an environment's values as text, `$$` as the container sees it."""
    found: dict[str, Service] = {}
    for file in FILES:
        found |= yaml.safe_load(_filled(_without_comments(file), values))["services"]
    return found


def some_values() -> dict[str, str]:
    """What a user may have in `.env`."""
    return {name: f"{name.lower().replace('_', '')}{'0' * 32}" for name in _required()}


def programs_of_ours() -> dict[str, Service]:
    return {
        name: service
        for name, service in services(some_values()).items()
        if service["image"].startswith(OURS)
    }


def environment(service: Service) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def commands(service: Service) -> Iterator[list[str]]:
    """What runs in a container of ours, its health check too."""
    yield [*service.get("entrypoint", []), *service["command"]]
    if "healthcheck" in service:
        kind, *command = service["healthcheck"]["test"]
        assert kind == "CMD"
        yield command


def _required() -> list[str]:
    return sorted(name for name, asked in user_variables().items() if "?" in asked)


def _without_comments(file: Path) -> str:
    return "\n".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values.get(match[1], match[3] if match[2] == "-" else "")

    return _VARIABLE.sub(value, text).replace("$$", "$")
