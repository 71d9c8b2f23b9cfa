"""Dialogues with the online store: who asks does other work while it is answered."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Generic, TypeVar

from bdp_assets.clients.redis import Redis, Script, Sent
from bdp_assets.clients.redis_exchange import Command

ResultT = TypeVar("ResultT")
Dialogue = Generator[tuple[Sequence[Command], Sequence[Script]], tuple[list[Any], bool], ResultT]
"""Yields commands, with the scripts that they call; is sent replies, and whether they are a second time's."""


class UnderWay(Generic[ResultT]):
    """A dialogue whose first commands are on their way from the start. To be asked for its result, or closed.

    Raises StoreUnavailable, and what the dialogue does.
    """

    def __init__(self, client: Redis, dialogue: Dialogue[ResultT]) -> None:
        self._client = client
        self._dialogue = dialogue
        self._results: list[ResultT] = []
        self._sent = Sent(client, *next(dialogue))

    def result(self) -> ResultT:
        """What it comes to; waits for the store."""
        while not self._results:
            replies = self._sent.replies()
            try:
                asked = self._dialogue.send((replies, self._sent.was_repeated))
            except StopIteration as end:
                self._results.append(end.value)
            else:
                self._sent = Sent(self._client, *asked)
        return self._results[0]

    def close(self) -> None:
        """Nobody asks: what was sent is done, or not."""
        self._sent.close()
