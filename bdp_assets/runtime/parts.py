"""What the table in `services.py` is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bdp_assets.settings import Settings

Say = Callable[[str], None]
"""Tells a person what takes its time."""


def _nothing(_settings: Settings, _say: Say) -> None:
    return


def _always(_settings: Settings) -> bool:
    return True


@dataclass(frozen=True)
class Program:
    """A process under the supervisor."""

    name: str
    command: Callable[[Settings], list[str]]
    healthy: Callable[[Settings], bool]
    """Whether it answers; asked again and again while it starts, so it must return soon."""
    port: str | None = None
    """Name of the setting with the port that people use."""
    more_ports: tuple[str, ...] = ()
    url: str = "{port}"
    needs: tuple[str, ...] = ()
    replaced_by: str | None = None
    """Name of the setting that, when set, takes this program's place."""
    prepare: Callable[[Settings, Say], None] = _nothing
    """Idempotent set-up before each start; raises Problem."""
    environment: Callable[[Settings], Mapping[str, str]] = field(default=lambda _settings: {})
    wanted: Callable[[Settings], bool] = _always
    waits_for: str = ""
    """What is missing when `wanted` says no, for people."""
    alone: bool = False
    """Its children outlive it when it is killed, and keep its port: end them before it starts again."""
    stop_signal: str = "TERM"
    stop_seconds: int = 20

    @property
    def ports(self) -> tuple[str, ...]:
        return (self.port, *self.more_ports) if self.port else self.more_ports

    def address(self, settings: Settings) -> str:
        return self.url.format(port=getattr(settings, self.port)) if self.port else ""

    def is_replaced(self, settings: Settings) -> bool:
        return self.replaced_by is not None and getattr(settings, self.replaced_by) is not None


@dataclass(frozen=True)
class Step:
    """Work that is done once between starts; idempotent."""

    name: str
    run: Callable[[Settings], None]
    needs: tuple[str, ...] = ()


Part: TypeAlias = Program | Step
