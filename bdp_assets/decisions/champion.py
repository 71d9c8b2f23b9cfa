"""The model that serves on this machine, with its policy and the rules: loaded, and followed from then on.

`bdp models promote | rollback | use` move the link `champion`, `bdp policy use` replaces `serving.json`: both
are files of this machine, so it does not matter whether MLflow is up. A process that follows them loads what
they name in a thread of its own, scores a row with it, and only then takes it, by one reference. What is
damaged, or of another feature catalog, is refused as at the start: the one before goes on.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from pathlib import Path

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import choice_file
from bdp_assets.observability.metrics import MODEL_REFUSED, MODEL_SWAPS, REVIEW_CAPACITY
from bdp_assets.scoring.bundle import BundleError, digest_of

_Mark = tuple[str, int, int, int]
_log = logging.getLogger("bdp.champion")


class Champion:
    """Follows one `champion` folder, every `every_ms` milliseconds."""

    def __init__(self, folder: Path, every_ms: int) -> None:
        self._folder = folder
        self._every_s = every_ms / 1000
        self._seen: list[_Mark] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> Decider:
        """What serves now, warm. Raises BundleError where it can not be used."""
        self._seen = self._marks()  # Before it is read: what changes meanwhile is seen by the next look.
        try:
            decider = Decider.load(self._folder)
            decider.warm()
        except BaseException:
            MODEL_REFUSED.set(1)
            raise
        MODEL_REFUSED.set(0)
        costs = decider.policy.costs
        REVIEW_CAPACITY.set(math.nan if costs is None else costs.reviews_per_day)
        versions = {"policy_version": decider.policy.version, "rules_version": decider.rules.version}
        _log.info("serving", extra={"model": decider.info.name, "version": decider.info.version, **versions})
        return decider

    def look(self) -> Decider | None:
        """What is to serve from now on. None: nothing changed, or what is new is refused, which is told."""
        if self._marks() == self._seen:
            return None
        try:
            decider = self.load()
        except BundleError as error:
            _log.error("champion refused, what served before goes on: %s", error)
            return None
        except Exception:  # noqa: BLE001 - the thread has to live to see the next champion
            _log.exception("champion refused, what served before goes on: loading it failed")
            return None
        MODEL_SWAPS.inc()
        return decider

    def follow(self, take: Callable[[Decider], None]) -> None:
        """From now on hand over what is to serve, from a thread of its own."""
        self._thread = threading.Thread(target=self._watch, args=(take,), name="champion", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, take: Callable[[Decider], None]) -> None:
        while not self._stopped.wait(self._every_s):
            decider = self.look()
            if decider is not None:
                take(decider)
                del decider  # Else it would stay in memory beside its successor.

    def _marks(self) -> list[_Mark]:
        """What differs where another bundle or policy is to serve, or a file of theirs was replaced.

        Empty where there is no bundle that could be read: `load` says why.
        """
        try:
            bundle = self._folder.resolve(strict=True)
            marks = [_mark(path) for path in sorted(bundle.iterdir())]
            choice = choice_file(bundle.parent, digest_of(bundle))
            return [*marks, _mark(choice)] if choice.exists() else marks
        except (OSError, BundleError):
            return []


def _mark(path: Path) -> _Mark:
    found = path.stat()
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size
