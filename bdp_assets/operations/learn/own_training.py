"""Lesson 5: a label of the learner's landed, and a model was trained on what is known."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.clients.postgres import session
from bdp_assets.operations.learn.first_decisions import CUSTOMER, LARGE
from bdp_assets.operations.learn.lesson import Missing, folder
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings

MODEL = "model"
_LABEL = "SELECT is_fraud FROM warehouse.label_states WHERE customer_id = %s AND transaction_id = %s"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises WarehouseUnavailable."""
    with session(settings) as connection:
        label = connection.execute(_LABEL, [CUSTOMER, LARGE]).fetchone()
    if label is None:
        yield Missing(f"The warehouse has no label of {LARGE}; one that was sent lands within a minute.", 1)
    elif not label[0]:
        yield Missing(f"The latest label of {LARGE} says that it was no fraud.", 1)
    yield from _model(settings)


def _model(settings: Settings) -> Iterator[Missing]:
    try:
        mine = Bundle.read(folder(settings) / MODEL)
    except BundleError as error:
        yield Missing(f"There is no model of yours that can be used: {error}", 2)
        return
    champion = Bundle.read(LocalBundles(settings.models_dir).champion.resolve())
    if mine.info.digest == champion.info.digest:
        yield Missing("The model is the champion itself: train with a seed of your own.", 2)
