"""The one error of a broken contract."""

from __future__ import annotations


class ContractError(ValueError):
    """A value that its contract refuses.

    `code` is stable and for programs, `field` names the field at fault (None: the value as a whole),
    `message` tells a person what to do. None of the three ever holds the value itself: it may be a card
    number.
    """

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(code, field, message)
        self.code = code
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
