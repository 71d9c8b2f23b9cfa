"""The decision of a transaction that a lesson sends: the API's is in the online store, the stream's lands."""

from __future__ import annotations

from bdp_assets.clients import redis
from bdp_assets.clients.postgres import session
from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.records import Prediction
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.decision_records.finding import DecisionUnknown, Wanted, find
from bdp_assets.settings import Settings


def decision(settings: Settings, customer_id: str, transaction_id: str) -> Prediction | None:
    """None: it was not decided, or did not land yet. Raises StoreUnavailable, WarehouseUnavailable."""
    kept = OnlineStore(redis.connect(settings)).decision(customer_id, transaction_id)
    if kept is not None:
        return decode_prediction(kept)
    with session(settings) as connection:  # away, it would be passed over below
        connection.execute("SELECT 1")
    try:
        return find(settings, Wanted(transaction_id, customer_id)).record
    except DecisionUnknown:
        return None
