"""Decision records as they are kept online; no slower place is asked in a call."""

from __future__ import annotations

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.features.online import OnlineStore
from bento.dependencies import Dependencies
from bento.errors import decision_unknown, store_unavailable


class Decisions:
    """Reads what was kept with claims."""

    def __init__(self, store: OnlineStore, dependencies: Dependencies) -> None:
        self._store = store
        self._dependencies = dependencies

    def record(self, customer_id: str, transaction_id: str) -> bytes:
        """The record, byte for byte. Raises ApiError 404 or 503."""
        if self._dependencies.store == "down":
            raise store_unavailable()
        try:
            record = self._store.decision(customer_id, transaction_id)
        except StoreUnavailable:
            self._dependencies.store_failed()
            raise store_unavailable() from None
        if record is None:
            raise decision_unknown()
        return record
