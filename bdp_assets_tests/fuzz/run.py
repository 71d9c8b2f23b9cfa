"""Callers side by side, each with a connection; the first fault of each is made as small as it gets."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from bdp_assets_tests.fuzz.calls import Answer, Call, Connection, NoAnswer
from bdp_assets_tests.fuzz.judge import fault

ROUND = 500
"""Calls of one Hypothesis run: it keeps them all, so that it makes none twice."""
_GENERATED_EVERY = 5
"""One round in so many is Schemathesis', whose cases take longest to make; the others are mutations."""


class _FaultError(AssertionError):
    """For Hypothesis: make it smaller."""


@dataclass
class Outcome:
    """How often each class of status came (`2xx`; `none` without an answer); faults, each with its call."""

    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, Call]] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return self.statuses.total()

    def line(self) -> str:
        told = {**dict.fromkeys(("2xx", "3xx", "4xx", "5xx"), 0), **self.statuses}
        counted = ", ".join(f"{told[name]:,} {name}" for name in sorted(told))
        return f"{self.calls:,} calls: {counted}; {len(self.faults)} faults"


def fuzz(port: int, calls: int, callers: int, first_seed: int) -> Outcome:
    """Call a service on loopback at least so often."""
    whole = Outcome()
    with ProcessPoolExecutor(callers, mp_context=get_context("spawn")) as pool:
        share = -(-calls // callers)
        runs = [pool.submit(call, port, share, first_seed + i * 1_000_000) for i in range(callers)]
        for run in runs:
            whole.statuses += run.result().statuses
            whole.faults += run.result().faults
    return whole


def call(port: int, calls: int, first_seed: int) -> Outcome:
    """One caller: the corpus, then rounds until it has called so often, or found a fault."""
    from bdp_assets_tests.fuzz.strategies import corpus, generated, mutated

    caller = _Caller(port)
    for one in corpus():
        if caller.outcome.calls < calls:
            caller.noted(one)
    rounds, made = 0, (generated(), mutated())
    while caller.outcome.calls < calls and not caller.outcome.faults:
        strategy = made[rounds % _GENERATED_EVERY > 0]
        caller.round(strategy, min(ROUND, calls - caller.outcome.calls), first_seed + rounds)
        rounds += 1
    caller.connection.close()
    return caller.outcome


class _Caller:
    def __init__(self, port: int) -> None:
        self.connection = Connection(port)
        self.outcome = Outcome()

    def noted(self, call: Call) -> None:
        if said := self._fault(call):
            self.outcome.faults.append((said, call))

    def round(self, strategy: st.SearchStrategy[Call], calls: int, number: int) -> None:
        found: list[tuple[str, Call]] = []

        @seed(number)
        @given(strategy)
        @settings(
            max_examples=calls,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        def ask(call: Call) -> None:
            if said := self._fault(call):
                found.append((said, call))
                raise _FaultError(said)

        try:
            ask()
        except (_FaultError, Flaky, BaseExceptionGroup):
            self.outcome.faults.append(min(found, key=lambda one: len(one[1].content)))

    def _fault(self, call: Call) -> str | None:
        try:
            answer = self.connection.ask(call)
        except NoAnswer as error:
            self.outcome.statuses["none"] += 1
            return f"there was no answer ({error})"
        self.outcome.statuses[_class(answer)] += 1
        return fault(answer)


def _class(answer: Answer) -> str:
    return f"{answer.status // 100}xx"
