"""One load run from its settings to its tally."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bdp_assets.operations.load import slo, to_api, to_topic
from bdp_assets.operations.load.choices import Door, Profile
from bdp_assets.operations.load.feed import Feed
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets.operations.load.session import Session, Tell
from bdp_assets.operations.load.slo import Objective
from bdp_assets.operations.load.tally import Tally
from bdp_assets.operations.load.target import api_address, refuse_foreign_kafka
from bdp_assets.operations.traffic_journal import Journal, Outgoing, new_journal
from bdp_assets.operations.traffic_sources import from_settings
from bdp_assets.settings import Settings

CONNECTIONS = 64


@dataclass(frozen=True)
class Load:
    """What is asked for. `rate`: calls a second; `url`: of an API that is not this platform's."""

    rate: float
    seconds: float
    profile: Profile = Profile.STEADY
    door: Door = Door.API
    connections: int = CONNECTIONS
    url: str | None = None
    is_mine: bool = False
    """The caller says that they may load what is not on this machine."""


@dataclass
class Watch:
    """How a run is followed and ended early."""

    tell: Tell = lambda tally: None
    stop: threading.Event = field(default_factory=threading.Event)


OBJECTIVES: dict[Door, Sequence[Objective]] = {Door.API: slo.API, Door.TOPIC: slo.TOPIC}


def run(settings: Settings, load: Load, watch: Watch) -> Tally:
    """Send what the traffic of this platform is made of; what arrived is in a journal for `bdp verify`.

    Raises Problem: the target is refused, or nobody is there; HistoryMissing, MappingError, KafkaUnavailable,
    KafkaRefused.
    """
    address = api_address(settings, load.url, is_mine=load.is_mine)
    if load.door is Door.TOPIC:
        refuse_foreign_kafka(settings, is_mine=load.is_mine)
    schedule = Schedule.of(load.profile, load.rate, load.seconds)
    tally = Tally(schedule, OBJECTIVES[load.door])
    with ExitStack() as stack:
        feed = stack.enter_context(Feed(_records(settings, schedule), len(schedule.times)))
        patience_s = to_api.PATIENCE_S if load.door is Door.API else to_topic.PATIENCE_S
        session = Session(schedule, feed, tally, patience_s, tell=watch.tell, stop=watch.stop)
        if load.url is None:
            session.journal = Journal(stack.enter_context(new_journal(settings.home)))
        if load.door is Door.API:
            to_api.drive(session, address, settings.api_headers, load.connections)
        else:
            to_topic.drive(session, settings)
    return tally


def _records(settings: Settings, schedule: Schedule) -> Iterator[Outgoing]:
    """Good ones, whose own time is that of the schedule, or before: the contract refuses what is ahead."""
    start_ms = (time.time_ns() // 1_000_000) - round(1_000 * schedule.most_ahead_s)
    return from_settings(settings, start_ms=start_ms, per_second=schedule.mean_rate, bad_share=0.0)
