"""Whether we may ship what a bill of materials lists: by the licences that pyproject.toml names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """`allowed`: SPDX identifiers, and classifiers where a distribution says no more.

    `known`: distributions whose metadata do not say enough, or whose licence is allowed for them alone.
    """

    allowed: frozenset[str]
    known: Mapping[str, str]

    @classmethod
    def of(cls, pyproject: Mapping[str, Any]) -> Rules:
        said = pyproject["tool"]["licences"]
        return cls(frozenset(said["allowed"]), said["known"])


def faults(components: list[Mapping[str, Any]], rules: Rules) -> Iterator[str]:
    """One line for each distribution that we may not ship, or that `known` names and nobody needs."""
    for component in components:
        name, said = component["name"].lower(), declared(component)
        if name not in rules.known and not (said and all(_allowed(one, rules) for one in said)):
            yield f"{name} {component['version']}: {', '.join(said) or 'says no licence'}"
    for name in sorted(rules.known.keys() - {component["name"].lower() for component in components}):
        yield f"{name}: is not installed any more; take it out of tool.licences.known"


def declared(component: Mapping[str, Any]) -> list[str]:
    """SPDX expressions, identifiers or names; where there are several, all of them hold."""
    return [
        entry.get("expression") or entry["license"].get("id") or entry["license"]["name"]
        for entry in component.get("licenses", ())
    ]


def _allowed(expression: str, rules: Rules) -> bool:
    """AND binds before OR. With brackets it is unknown, not guessed: `known` can name it."""
    choices = [choice.split(" AND ") for choice in expression.split(" OR ")]
    return any(all(one.strip() in rules.allowed for one in choice) for choice in choices)
