"""Calls of the prediction API, each when it is due, on so many connections at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from bdp_assets.operations.load.http_connection import NO_STATUS, HttpConnection, post
from bdp_assets.operations.load.session import Session
from bdp_assets.operations.load.tally import Outcome
from bdp_assets.operations.load.target import Address
from bdp_assets.operations.traffic_api import PREDICT
from bdp_assets.operations.traffic_journal import Answer, Outgoing
from bdp_assets.runtime.problems import Problem

PATIENCE_S = 5.0
NO_ANSWER = Outcome("no answer", right=False, served=False)
UNREADABLE = Outcome("200 unreadable", right=False, served=True)
_TICK_S = 0.05


class _Told(msgspec.Struct):
    """What of an answer is counted, or kept in the journal."""

    decision: str
    degraded: bool = False


_decode = msgspec.json.Decoder(_Told).decode


def read(status: int, body: bytes) -> tuple[Answer, Outcome]:
    """What the journal keeps of an answer, and how it counts. One without the online store is degraded."""
    if status != HTTPStatus.OK:
        outcome = Outcome(str(status), right=False, served=status < HTTPStatus.INTERNAL_SERVER_ERROR)
        return Answer(status), NO_ANSWER if status == NO_STATUS else outcome
    try:
        told = _decode(body)
    except msgspec.DecodeError:
        return Answer(status), UNREADABLE
    name = "200 degraded" if told.degraded else "200"
    return Answer(status, told.decision, told.degraded), Outcome(name, right=True, served=True)


def drive(session: Session, address: Address, headers: Mapping[str, str], connections: int) -> None:
    """Until every call has its answer, was given up, or the run was stopped.

    Raises Problem where nobody listens at the start, and what the source of the records raises.
    """
    asyncio.run(_Driver(session, address, headers).run(connections))


@dataclass
class _UnderWay:
    number: int
    record: Outgoing
    sent_s: float
    sent_ms: int


class _Driver:
    def __init__(self, session: Session, address: Address, headers: Mapping[str, str]) -> None:
        self._session, self._address, self._headers = session, address, headers
        self._free: list[HttpConnection] = []
        self._under_way: dict[HttpConnection, _UnderWay] = {}
        self._answered_calls = 0
        self._wake: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None

    async def run(self, connections: int) -> None:
        opened = [HttpConnection(*self._address, self._answered) for _ in range(connections)]
        try:
            await self._open(opened)
            self._began = time.perf_counter()
            self._send_due()
            while not self._session.look(self._now(), self._answered_calls) and self._failure is None:
                self._give_up_the_slow()
                await asyncio.sleep(_TICK_S)
        finally:
            waiting = {one.number: NO_ANSWER for one in self._under_way.values()}
            for connection in opened:
                connection.close()
        if self._failure is not None:
            raise self._failure
        self._session.close(self._now(), waiting)

    async def _open(self, connections: list[HttpConnection]) -> None:
        try:
            await asyncio.gather(*(connection.open() for connection in connections))
        except OSError:
            raise Problem(
                f"Nobody takes {len(connections)} connections at port {self._address.port}.",
                "`bdp up` starts the API, `bdp status` shows where it listens.",
            ) from None
        self._free = connections.copy()

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _send_due(self) -> None:
        """Send what is due as far as connections are free, the one used last first; wait for the next."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        while self._free:
            late_s = self._session.late(self._now())
            if late_s is None:
                return
            if late_s < 0:
                self._wake = asyncio.get_running_loop().call_later(-late_s, self._send_due)
                return
            if not self._send(late_s):
                return

    def _send(self, late_s: float) -> bool:
        """False: there is nothing left to send."""
        try:
            record = self._session.feed.next()
        except Exception as error:  # noqa: BLE001 - raised again by run()
            self._failure = error
            return False
        if record is None:
            self._session.end_of_source()
            return False
        number = self._session.sent
        self._session.sent += 1
        self._session.tally.sent(number, late_s)
        connection = self._free.pop()
        sent_ms = time.time_ns() // 1_000_000
        self._under_way[connection] = _UnderWay(number, record, self._now(), sent_ms)
        connection.ask(post(self._address.host, PREDICT, record.value, self._headers))
        return True

    def _answered(self, connection: HttpConnection, status: int, body: bytes) -> None:
        now_s = self._now()
        call = self._under_way.pop(connection)
        answer, outcome = read(status, body)
        self._answered_calls += 1
        self._session.tally.ended(call.number, self._session.latency(call.number, now_s), outcome)
        if self._session.journal is not None:
            self._session.journal.answered(call.record, call.sent_ms, answer)
        self._free.append(connection)
        self._send_due()

    def _give_up_the_slow(self) -> None:
        oldest_s = self._now() - self._session.patience_s
        for connection in [one for one, call in self._under_way.items() if call.sent_s < oldest_s]:
            connection.give_up()
