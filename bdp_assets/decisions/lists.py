"""Allow and block lists as processes decide by them: entries about one customer, merchant or device each.

Whoever decides holds one `Lists`, whole, and takes another in its place when they change. Nothing of why an
entry was made is here: that is in the audit (`operations/lists`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from bdp_assets.contracts.records import Id, ListHit, ListKind, ListName, ValidatedTransaction

FIELDS: Mapping[ListKind, str] = {
    ListKind.CUSTOMER: "customer_id",
    ListKind.MERCHANT: "merchant_id",
    ListKind.DEVICE: "device_id",
}
"""The field of a transaction that an entry of that kind is about."""
_ORDER = {name: number for number, name in enumerate(ListName)}


class ListEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry. `expires_at_ms`: not in force from then on (UTC epoch milliseconds); None: until removed."""

    entry_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
    list: ListName
    kind: ListKind
    id: Id
    expires_at_ms: int | None = None

    def is_in_force(self, at_ms: int) -> bool:
        return self.expires_at_ms is None or at_ms < self.expires_at_ms


class PublishedLists(Struct, frozen=True, forbid_unknown_fields=True):
    """All entries at one moment, the revision: when they were read (UTC epoch microseconds)."""

    revision: int
    entries: list[ListEntry]

    def __len__(self) -> int:
        return len(self.entries)


class Lists:
    """What is listed, found by its id. Never changes; safe for many threads."""

    def __init__(self, published: PublishedLists) -> None:
        self.published = published
        found: defaultdict[tuple[str, str], list[ListEntry]] = defaultdict(list)
        for entry in sorted(published.entries, key=lambda one: (_ORDER[one.list], one.entry_id)):
            found[FIELDS[entry.kind], entry.id].append(entry)
        self._entries = dict(found)

    def hits(
        self, transactions: Sequence[ValidatedTransaction], at_ms: Sequence[int]
    ) -> Sequence[Sequence[ListHit]]:
        """The entries in force for each transaction at its time (UTC epoch milliseconds), the winner first.

        Empty where there are no entries at all.
        """
        if not self._entries:
            return ()
        return [self._of(transaction, ms) for transaction, ms in zip(transactions, at_ms, strict=True)]

    def _of(self, transaction: ValidatedTransaction, at_ms: int) -> Sequence[ListHit]:
        keys = [(field, getattr(transaction, field)) for field in FIELDS.values()]
        found = [entry for key in keys for entry in self._entries.get(key, ()) if entry.is_in_force(at_ms)]
        found.sort(key=lambda entry: _ORDER[entry.list])
        return [ListHit(entry.entry_id, entry.list, entry.kind) for entry in found]


CurrentLists = Callable[[], Lists]
"""The lists as they are now."""
NO_LISTS = Lists(PublishedLists(0, []))


def no_lists() -> Lists:
    """A `CurrentLists` where nobody is listed."""
    return NO_LISTS
