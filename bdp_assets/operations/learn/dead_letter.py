"""Lesson 3: a message that its contract refused was corrected, sent again and decided."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.contracts.topics import RAW
from bdp_assets.operations.dead_letters.listing import letters
from bdp_assets.operations.dead_letters.query import Filter, Status
from bdp_assets.operations.learn.decided import decision
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.settings import Settings

CUSTOMER, TRANSACTION = "C000123", "lesson-3"
ERROR = "wrong_type"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises WarehouseUnavailable, KafkaUnavailable, KafkaRefused, StoreUnavailable."""
    found, _ = letters(settings, Filter(error=ERROR, field="amount", source_topic=RAW.name), 1000)
    if not found:
        yield Missing(f"No message of {RAW.name} was refused for the type of its amount.", 1)
    elif all(letter.status != Status.FIXED for letter in found):
        yield Missing("The dead letter was not corrected and sent again.", 3)
    decided = decision(settings, CUSTOMER, TRANSACTION)
    if decided is None:
        yield Missing(f"{TRANSACTION} of {CUSTOMER} was not decided; what was lands within a minute.", 3)
    elif decided.amount_base_minor != 1250:
        yield Missing(f"{TRANSACTION} was decided, but not for 12.50.", 1)
