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
    port_step: int = 0
    """Added to that setting, where several programs share it."""
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
    part_of: str | None = None
    """Name of the program that it comes and goes with; that one can be told to look anew."""
    admit: Callable[[Settings, bool], None] = lambda _settings, _calls: None
    """Have what stands before it send it calls (True), or no new ones."""
    asked_for: Callable[[Settings], bool] = _always
    """Whether the settings have it at all."""
    reload_signal: Callable[[Settings], str | None] = lambda _settings: None
    """Signal that makes it read its configuration again while it serves; None: it has to be restarted."""
    alone: bool = False
    """Its children outlive it when it is killed, and keep its port: end them before it starts again."""
    stop_signal: str = "TERM"
    stop_seconds: int = 20

    @property
    def ports(self) -> tuple[str, ...]:
        return (self.port, *self.more_ports) if self.port else self.more_ports

    def listens(self, settings: Settings) -> dict[str, int]:
        """Setting -> port (TCP on loopback) that it moves."""
        return {
            name: getattr(settings, name) + (self.port_step if name == self.port else 0)
            for name in self.ports
        }

    def address(self, settings: Settings) -> str:
        return self.url.format(port=self.listens(settings)[self.port]) if self.port else ""

    def is_replaced(self, settings: Settings) -> bool:
        return self.replaced_by is not None and getattr(settings, self.replaced_by) is not None


@dataclass(frozen=True)
class Step:
    """Work that is done once between starts; idempotent."""

    name: str
    run: Callable[[Settings], None]
    needs: tuple[str, ...] = ()


Part: TypeAlias = Program | Step
