"""The demo's steps, in order. Each finds out whether it has been done before, so a second demo is short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bdp_assets.clients import dagster
from bdp_assets.operations import materialize, start
from bdp_assets.operations.demo import live, proof
from bdp_assets.operations.demo.history import Past, settle, summary
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.runtime import home, platform
from bdp_assets.runtime.starter import Stage
from bdp_assets.settings import Settings

STORE = "serving/online_store"


class Screen(live.Screen, Protocol):
    """Where the demo shows what it does."""

    def step(self, title: str) -> None: ...

    def report(self, name: str, stage: Stage, detail: str) -> None: ...


@dataclass(frozen=True)
class Traffic:
    seconds: float = 30.0
    rate: float = 150.0
    """Records a second."""


def run(settings: Settings, past: Past | None, traffic: Traffic, screen: Screen) -> proof.Proof:
    """From whatever state BDP_HOME is in to a running, proven platform.

    Raises Problem, MappingError, HistoryMissing, and what the clients of Kafka and Dagster raise.
    """
    home.prepare(settings.home)
    screen.step("History")
    settings = settle(settings, past)
    screen.line(summary(settings))
    screen.step("Services")
    platform.require_ports(settings)  # now, not after the training
    start.up(settings, report=screen.report)
    screen.step("Backfill: history -> raw -> validated -> enriched -> features")
    materialize.history(settings, None, again=False, screen=screen)
    if STORE not in dagster.state(settings).materialised:
        screen.step("Model: train, register, promote; rebuild the online store")
        materialize.model(settings, screen)
    screen.step("API and stream")
    start.up(settings, report=screen.report)
    ledger = read_ledger(settings)
    if not ledger.counts["raw"]:
        screen.step(f"Live traffic: {traffic.rate:g} transactions a second for {traffic.seconds:g} s")
        _, ledger = live.run(settings, seconds=traffic.seconds, rate=traffic.rate, screen=screen)
    screen.step("Proof")
    return proof.gather(settings, ledger, screen)
