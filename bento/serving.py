"""All that one worker process serves with, made from the settings."""

from __future__ import annotations

import logging

from bdp_assets.clients import redis
from bdp_assets.contracts import topics
from bdp_assets.contracts.adjustments import decode_posted_adjustment
from bdp_assets.contracts.labels import decode_posted
from bdp_assets.contracts.records import Adjustment, Label
from bdp_assets.decisions.champion import Champion
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.live_lists import LiveLists
from bdp_assets.decisions.publication import channel
from bdp_assets.decisions.tombstones import LiveTombstones
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability import tracing
from bdp_assets.observability.metrics import API_DEPENDENCY_UP
from bdp_assets.pan_key import pan_key
from bdp_assets.scoring.bundle import BundleError
from bdp_assets.scoring.local_bundles import CHAMPION
from bdp_assets.settings import Settings
from bento.access import mode
from bento.access.access import Access
from bento.access.keyring import Keyring
from bento.access.limiter import Limiter
from bento.decisions import Decisions
from bento.dependencies import Dependencies
from bento.models import DependencyState, Health, Model, Status
from bento.notices import Notices
from bento.packed import models_dir
from bento.predictor import Predictor
from bento.raw_topic import RawTopic
from bento.spool.spool import Spool

_log = logging.getLogger("bdp.api.serving")


class Serving:
    """The predictor, who may ask it, what it leans on, and how that is."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it is made of
        self,
        predictor: Predictor,
        labels: Notices[Label],
        adjustments: Notices[Adjustment],
        decisions: Decisions,
        access: Access,
        dependencies: Dependencies,
        raw_topic: RawTopic,
        lists: LiveLists,
        tombstones: LiveTombstones,
        champion: Champion,
    ) -> None:
        self.predictor = predictor
        self.labels = labels
        self.adjustments = adjustments
        self.decisions = decisions
        self.access = access
        self._dependencies = dependencies
        self._raw_topic = raw_topic
        self._lists = lists
        self._tombstones = tombstones
        self._champion = champion

    @classmethod
    def start(cls, settings: Settings) -> Serving:
        """Load the champion, warm it up, connect. It starts whatever is missing, and `health` says what.

        From then on it takes every other champion or policy while it serves.
        """
        tracing.start("api", settings.traces_endpoint, settings.traces_ratio)
        store = OnlineStore(redis.connect(settings))
        store.warm()
        spool = Spool(settings.spool_dir, settings.spool_mb * 2**20, syncs=settings.spool_fsync)
        key = pan_key(settings)
        raw_topic = RawTopic(settings, spool, key)
        dependencies = Dependencies(store, raw_topic, spool)
        dependencies.start()
        raw_topic.start()
        lists = LiveLists(channel(settings), settings.lists_file)
        lists.start()
        tombstones = LiveTombstones(channel(settings), settings.tombstones_file, key)
        tombstones.start()
        champion = Champion(models_dir(settings) / CHAMPION, settings.champion_poll_ms)
        predictor = Predictor(_first(champion), store, spool, dependencies, lists.current, tombstones.current)
        API_DEPENDENCY_UP.labels("model").set(predictor.decider is not None)
        champion.follow(predictor.take)
        access = _access(settings, Limiter(store.client, dependencies))
        decisions = Decisions(store, dependencies)
        labels = Notices(spool, topics.LABELS, decode_posted, tombstones.current)
        adjustments = Notices(spool, topics.ADJUSTMENTS, decode_posted_adjustment, tombstones.current)
        return cls(
            predictor,
            labels,
            adjustments,
            decisions,
            access,
            dependencies,
            raw_topic,
            lists,
            tombstones,
            champion,
        )

    def health(self) -> Health:
        """Ready with a model and room to write down what it decides.

        Without store or broker it decides in a degraded mode.
        """
        decider = self.predictor.decider
        model: DependencyState = "missing" if decider is None else "ok"
        states: dict[str, DependencyState] = {
            "model": model,
            "online_store": self._dependencies.store,
            "kafka": self._dependencies.kafka,
            "spool": self._dependencies.spool,
        }
        ready = model == states["spool"] == "ok"
        whole = all(state == "ok" for state in states.values())
        status: Status = "ready" if whole else "degraded" if ready else "unavailable"
        return Health(
            status=status,
            alive=True,
            ready=ready,
            dependencies=states,
            model=None if decider is None else Model(decider.info.name, decider.info.version),
            policy_version=None if decider is None else decider.policy.version,
        )

    def close(self) -> None:
        """Stop looking at things, and send for a while what the spool holds."""
        self._champion.stop()
        self.access.close()
        self._lists.stop()
        self._tombstones.stop()
        self._dependencies.stop()
        self._raw_topic.close()
        tracing.stop()


def _access(settings: Settings, limiter: Limiter) -> Access:
    if mode.is_open(settings, mode.listening()):
        return Access(None, limiter, settings.api_rate_per_s)
    keyring = Keyring(settings.keys_file)
    keyring.start()
    return Access(keyring, limiter, settings.api_rate_per_s)


def _first(champion: Champion) -> Decider | None:
    """None, and a line in the log, where there is no champion yet that can be used."""
    try:
        return champion.load()
    except BundleError as error:
        _log.error("no model to serve: %s", error)
        return None
