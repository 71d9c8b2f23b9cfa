"""All that one worker process serves with, made from the settings."""

from __future__ import annotations

import logging

import numpy as np

from bdp_assets.clients import redis
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.metrics import API_DEPENDENCY_UP
from bdp_assets.pan_key import pan_key
from bdp_assets.scoring.bundle import BundleError
from bdp_assets.settings import Settings
from bento.access import mode
from bento.access.access import Access
from bento.access.keyring import Keyring
from bento.access.limiter import Limiter
from bento.decisions import Decisions
from bento.dependencies import Dependencies
from bento.labels import Labels
from bento.models import DependencyState, Health, Status
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
        labels: Labels,
        decisions: Decisions,
        access: Access,
        dependencies: Dependencies,
        raw_topic: RawTopic,
    ) -> None:
        self.predictor = predictor
        self.labels = labels
        self.decisions = decisions
        self.access = access
        self._dependencies = dependencies
        self._raw_topic = raw_topic

    @classmethod
    def start(cls, settings: Settings) -> Serving:
        """Load the champion, warm it up, connect. It starts whatever is missing, and `health` says what."""
        store = OnlineStore(redis.connect(settings))
        store.warm()
        spool = Spool(settings.spool_dir, settings.spool_mb * 2**20, syncs=settings.spool_fsync)
        raw_topic = RawTopic(settings, spool, pan_key(settings))
        dependencies = Dependencies(store, raw_topic)
        dependencies.start()
        raw_topic.start()
        champion = _champion(settings)
        API_DEPENDENCY_UP.labels("model").set(champion is not None)
        predictor = Predictor(champion, store, spool, dependencies)
        access = _access(settings, Limiter(store.client, dependencies))
        decisions = Decisions(store, dependencies)
        return cls(predictor, Labels(spool), decisions, access, dependencies, raw_topic)

    def health(self) -> Health:
        """Ready as soon as there is a model: without store or broker it decides in a degraded mode."""
        model: DependencyState = "missing" if self.predictor.decider is None else "ok"
        states: dict[str, DependencyState] = {
            "model": model,
            "online_store": self._dependencies.store,
            "kafka": self._dependencies.kafka,
        }
        ready = model == "ok"
        whole = all(state == "ok" for state in states.values())
        status: Status = "ready" if whole else "degraded" if ready else "unavailable"
        return Health(status=status, alive=True, ready=ready, dependencies=states)

    def close(self) -> None:
        """Stop probing, and send for a while what the spool holds."""
        self.access.close()
        self._dependencies.stop()
        self._raw_topic.close()


def _access(settings: Settings, limiter: Limiter) -> Access:
    if mode.is_open(settings, mode.listening()):
        return Access(None, limiter, settings.api_rate_per_s)
    keyring = Keyring(settings.keys_file)
    keyring.start()
    return Access(keyring, limiter, settings.api_rate_per_s)


def _champion(settings: Settings) -> Decider | None:
    """The active model, warm; None, and a line in the log, where there is none that can be used."""
    directory = models_dir(settings) / "champion"
    try:
        decider = Decider.load(directory)
    except BundleError as error:
        _log.error("no model to serve: %s", error)
        return None
    decider.ensemble.score(np.zeros((1, len(decider.info.feature_names))))
    versions = {"policy_version": decider.policy.version, "rules_version": decider.rules.version}
    _log.info("serving", extra={"model": decider.info.name, "version": decider.info.version, **versions})
    return decider
