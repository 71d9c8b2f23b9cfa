"""Lesson 7: a candidate rule that can be used, and a block list's entry that declined a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.rules import FILE, RuleError, load_rules
from bdp_assets.operations.learn.decided import decision
from bdp_assets.operations.learn.lesson import Missing, folder
from bdp_assets.operations.lists.changes import entries
from bdp_assets.operations.lists.wishes import Place
from bdp_assets.settings import Settings

CUSTOMER, TRANSACTION, MERCHANT = "C000107", "lesson-7", "lesson-7-shop"
RULES = "rules.yaml"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises WarehouseUnavailable, StoreUnavailable."""
    yield from _rule(settings)
    place = Place.of("block", "merchant", MERCHANT)
    if not any(entry.is_at(place) and entry.is_in_force for entry in entries(settings)):
        yield Missing(f"The merchant {MERCHANT} is not on the block list.", 3)
    decided = decision(settings, CUSTOMER, TRANSACTION)
    if decided is None:
        yield Missing(f"{TRANSACTION} of {CUSTOMER} was not decided.", 4)
    elif decided.decision is not Decision.DECLINE or not decided.list_hits:
        yield Missing(f"{TRANSACTION} was not declined by the list: it was sent before the entry.", 4)


def _rule(settings: Settings) -> Iterator[Missing]:
    file = folder(settings) / RULES
    if not file.is_file():
        yield Missing(f"There is no {file}.", 1)
        return
    try:
        mine = load_rules(file)
    except RuleError as error:
        yield Missing(f"The rules can not be used: {error}", 1)
        return
    if {rule.name for rule in mine.rules} <= {rule.name for rule in load_rules(FILE).rules}:
        yield Missing("The file has no rule that the platform does not have.", 1)
