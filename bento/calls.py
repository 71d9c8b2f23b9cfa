"""Calls, and the transactions that they bring."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from msgspec import Struct

from bdp_assets.clients.kafka import Header
from bdp_assets.contracts.erasure import Tombstones
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.headers import TRACEPARENT, trace_id
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.observability.trace_context import is_sampled
from bdp_assets.observability.traced_batch import Above, current
from bento.errors import ApiError, broken_contract, customer_erased
from bento.spool.frames import Arrival


class Call(Struct, frozen=True):
    """What travels with a call."""

    request_id: str
    traceparent: str
    dry_run: bool = False

    @property
    def headers(self) -> tuple[Header, ...]:
        """Its marks on the messages that it causes."""
        return ("request-id", self.request_id.encode()), (TRACEPARENT, self.traceparent.encode())

    @property
    def trace_id(self) -> str:
        return trace_id(self.traceparent.encode())


class Asked(Struct, frozen=True):
    """A transaction as it came (JSON), and the call that brought it."""

    value: bytes
    call: Call


class Received(Struct, frozen=True):
    """A transaction that kept the contract, how it came, and when (UTC epoch milliseconds)."""

    transaction: ValidatedTransaction
    asked: Asked
    received_ms: int

    @property
    def arrival(self) -> Arrival:
        """As the spool has it."""
        asked = self.asked
        return Arrival(self.transaction.customer_id, asked.value, asked.call.headers, self.received_ms)


def receive(asked: Asked, received_ms: int, tombstones: Tombstones) -> Received | ApiError:
    """The transaction, or why it is refused: by the contract, or as of before its customer was erased."""
    try:
        transaction = decode_transaction(asked.value, received_ms=received_ms)
    except ContractError as error:
        return broken_contract(error)
    if tombstones.cover(transaction.customer_id, transaction.ts_ms):
        return customer_erased()
    return Received(transaction, asked, received_ms)


def sampled_calls(asked: Sequence[Asked]) -> dict[Hashable, Above]:
    """The sampled calls, by their contexts; the items of a batch share theirs."""
    contexts = {one.call.traceparent for one in asked}
    return {one: Above(one, "predict", "internal") for one in contexts if is_sampled(one)}


def name_in_traces(received: Sequence[Received]) -> None:
    """Tell the traces what they are about: what kept the contract holds no card number."""
    if (batch := current()) is not None:
        for item in received:
            batch.decides(item.asked.call.traceparent, item.transaction.transaction_id)
