"""May a dead letter be sent again, and as what? The contract of its door says so, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bdp_assets.contracts.dead_letters import is_of_source
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, NOBODY, REFUSAL, Tombstones, names
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import LABELS, RAW
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.operations.dead_letters.entries import NOT_REPLAYABLE, Entry
from bdp_assets.operations.dead_letters.fixes import Fixes, Unfixable
from bdp_assets.operations.dead_letters.query import Row, Status
from bdp_assets.streaming.steps import REFUSED

DOORS: Mapping[str, Callable[[bytes, int], str]] = {
    RAW.name: lambda value, now_ms: decode_transaction(value, received_ms=now_ms).customer_id,
    LABELS.name: lambda value, now_ms: decode_label(value, received_ms=now_ms).customer_id,
}
"""Topic -> the key of a message that its contract takes; raises ContractError for any other."""

NO_DOOR = (
    "It was refused on a topic that only the platform's workers write to. Replay what it came from, or send "
    "the transaction anew."
)
AT_ITS_SOURCE = (
    "It is a row of a source, refused before any topic. Mend the mapping or the row there and ingest it "
    "anew, see docs/sources.md."
)


class Ready(NamedTuple):
    """A letter on its way: what is sent, under which key."""

    entry: Entry
    key: str
    value: bytes
    fixed: bool


class Kept(NamedTuple):
    """A letter (or a row in quarantine) that is not sent, and why; never its value."""

    place: object
    error: str
    says: str


def judge(
    entry: Entry, fixes: Fixes, *, now_ms: int, again: bool, tombstones: Tombstones = NOBODY
) -> Ready | Kept:
    """`now_ms` is the clock of the contract's time bounds; `again`: also what can only be a duplicate.

    A letter about what was erased is kept, and so is one that a fix made into such.
    """
    letter = entry.letter
    if letter.source_topic not in DOORS:
        at_source = is_of_source(letter.source_topic)
        return Kept(entry.place, letter.error, AT_ITS_SOURCE if at_source else NO_DOOR)
    try:
        value = fixes.apply(entry)
    except Unfixable as error:
        return Kept(entry.place, letter.error, str(error))
    return _erased(entry, value, tombstones) or _judged(entry, value, now_ms=now_ms, again=again)


def _erased(entry: Entry, value: bytes, tombstones: Tombstones) -> Kept | None:
    """A letter that was refused as such has no bytes: whatever a fix makes of it was made up."""
    is_so = entry.letter.error == CUSTOMER_ERASED
    if is_so or (tombstones and any(names(one, tombstones.cover) for one in (entry.original, value))):
        return Kept(entry.place, CUSTOMER_ERASED, REFUSAL)
    return None


def _judged(entry: Entry, value: bytes, *, now_ms: int, again: bool) -> Ready | Kept:
    letter = entry.letter
    fixed = value != entry.original
    if letter.masked and not fixed:
        return Kept(entry.place, letter.error, NOT_REPLAYABLE)
    if letter.error in REFUSED and not (fixed or again):
        return Kept(entry.place, letter.error, REFUSED[letter.error])
    try:
        key = DOORS[letter.source_topic](value, now_ms)
    except ContractError as error:
        return Kept(entry.place, error.code, error.message)
    return Ready(entry, key, value, fixed)


def sent_before(row: Row, *, again: bool) -> Kept | None:
    """Why a letter that was sent before is not sent once more, if that is so."""
    if row.status == Status.OPEN:
        return None
    if row.status == Status.SENDING:
        says = "Its replay was interrupted; the next one (without --dry-run) finds out what was sent."
    elif not again:
        says = f"Replay {row.replay_id} sent it. --again sends it once more, which makes a duplicate."
    elif row.source_topic == LABELS.name:
        says = f"Replay {row.replay_id} sent it. Labels are in order of arrival: send what holds now."
    else:
        return None
    return Kept(row.place, row.error, says)
