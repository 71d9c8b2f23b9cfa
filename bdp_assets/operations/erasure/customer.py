"""Whom an erasure is about. The id is in no log, no error and no representation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bdp_assets.contracts import pan
from bdp_assets.contracts.erasure import customer_hash
from bdp_assets.contracts.wire import FORMS
from bdp_assets.pan_key import pan_key
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


@dataclass(frozen=True)
class Customer:
    """A customer's id and its keyed hash, which is all that an erasure leaves of it."""

    id: str = field(repr=False)
    hashed: str

    @classmethod
    def of(cls, settings: Settings, customer_id: str) -> Customer:
        """Raises Problem for what can be no customer of ours; PanKeyMissing."""
        form = FORMS["customer_id"]
        if pan.holds_pan(customer_id):
            raise Problem(
                f"The id {pan.ADVICE}",
                "No transaction is let in with one, so there is nothing to erase by it.",
            )
        if not re.fullmatch(form.pattern, customer_id):
            raise Problem("That is no id of a customer.", f"An id is {form.says}.")
        return cls(customer_id, customer_hash(customer_id, pan_key(settings)))

    def is_meant_by(self, customer_id: str, _ts_ms: int | None = None) -> bool:
        """An `IsErased`: all of the customer's is to be."""
        return customer_id == self.id
