"""The decision of a transaction that a lesson sends: the API's is in the online store, the stream's lands."""

from __future__ import annotations

from bdp_assets.clients import redis
from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.records import Prediction
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.decision_records.finding import Wanted, in_warehouse
from bdp_assets.settings import Settings


def decision(settings: Settings, customer_id: str, transaction_id: str) -> Prediction | None:
    """None: it was not decided, or did not land yet. Raises StoreUnavailable, WarehouseUnavailable."""
    kept = OnlineStore(redis.connect(settings)).decision(customer_id, transaction_id)
    if kept is not None:
        return decode_prediction(kept)
    landed = in_warehouse(settings, Wanted(transaction_id, customer_id))
    return landed[0] if landed else None
