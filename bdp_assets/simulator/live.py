"""The same world, now: an endless stream of raw records, with fraud and careless senders in it."""

from __future__ import annotations

import string
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.ingest import encode
from bdp_assets.ingest.mapping import identity_mapping
from bdp_assets.simulator.campaigns import Campaigns
from bdp_assets.simulator.drafts import KINDS
from bdp_assets.simulator.fraud import Takeover, Thief, compromised_merchant
from bdp_assets.simulator.population import Ints
from bdp_assets.simulator.spending import DAY_MS, purchases
from bdp_assets.simulator.spoil import REPEATERS, SPOILERS
from bdp_assets.simulator.wire import wire

LIVE = 1_000
FRAUD_SHARE = 0.02
"""Of the stream, compromised merchants apart: more than in history, so that half a minute shows some."""
STOLEN_SIZE, TESTING_SIZE, TAKEOVER_SIZE = 8.0, 14.5, 4.0
"""Mean transactions of one attack."""
ATTACKS_EACH = np.array([0.4 / STOLEN_SIZE, 0.2 / TESTING_SIZE, 0.4 / TAKEOVER_SIZE])
"""Attacks of each kind in one fraudulent transaction."""
PACE, TESTING_PACE = 1 / 1_000, 1 / 50
"""What takes hours or days in history plays in seconds."""
REMEMBERED = 200


class LiveRecord(NamedTuple):
    """`kind` is one of `drafts.KINDS` or `spoil.BAD_KINDS`; the ids are those that it was made with."""

    transaction_id: str
    customer_id: str
    value: bytes
    kind: str


class LiveSession:
    """One session; record number k of it happens k / per_second seconds after `start_ms`."""

    def __init__(self, campaigns: Campaigns, start_ms: int, per_second: float, bad_share: float) -> None:
        self._campaigns = campaigns
        self._start_ms, self._per_second, self._bad_share = start_ms, per_second, bad_share
        self._rng = np.random.default_rng([campaigns.seed, LIVE, start_ms])
        self._session = letters(start_ms)
        self._sent: deque[LiveRecord] = deque(maxlen=REMEMBERED)
        self._turns = self._everybody_in_turn()
        self._pending = self._attacks(np.ones(3, dtype=np.int64), start_ms)  # one of each kind soon

    def records(self) -> Iterator[LiveRecord]:
        """Endless; deterministic for a world and a start."""
        made = 0
        for second in count(1):
            upto = round(second * self._per_second)
            if upto > made:
                yield from map(self._perhaps_bad, self._second(made, upto))
            made = upto

    def _second(self, first: int, upto: int) -> Iterator[LiveRecord]:
        """Good records number first..upto-1."""
        slots = self._start_ms + (np.arange(first, upto) * 1_000 / self._per_second).astype(np.int64)
        begins = self._rng.poisson(FRAUD_SHARE * len(slots) * ATTACKS_EACH)
        self._pending = pl.concat([self._pending, self._attacks(begins, int(slots[0]))]).sort("ts_ms")
        due = self._pending.filter(pl.col("ts_ms") <= slots[-1]).head(len(slots))
        self._pending = self._pending.slice(len(due))
        sales = self._sales(int(slots[0]), slots[self._rng.permutation(len(slots))[len(due) :]])
        drafts = (
            pl.concat([sales, due])
            .sort("ts_ms")
            .with_columns(
                ts_ms=pl.Series(slots),
                transaction_id=pl.format("T{}{}", pl.lit(self._session), _numbers(first, upto)),
            )
        )
        wired = wire(self._campaigns.population, drafts)
        fields = identity_mapping(wired.columns).fields
        values = wired.select(
            "transaction_id", "customer_id", encode.value(fields, wired.schema).alias("value")
        )
        for row, kind in zip(values.iter_rows(), drafts["kind"], strict=True):
            yield LiveRecord(row[0], row[1], row[2].encode(), KINDS[kind])

    def _sales(self, now: int, moments: Ints) -> pl.DataFrame:
        """What honest customers buy at those moments, all within a second of `now`."""
        population, day = self._campaigns.population, now // DAY_MS
        cities = self._campaigns.cities(day)
        buyer = np.array([next(self._turns) for _ in moments], dtype=np.int64)
        sales = purchases(self._rng, population, buyer, cities[buyer], moments)
        return compromised_merchant(self._rng, sales, self._campaigns.compromises(day))

    def _everybody_in_turn(self) -> Iterator[int]:
        """Customers in random order, all of them before one comes again.

        A session has far more transactions a second than so few people make: drawn by their habits, the busy
        ones would pay many times a second.
        """
        while True:
            yield from self._rng.permutation(len(self._campaigns.population.customers)).tolist()

    def _attacks(self, begins: Ints, ts_ms: int) -> pl.DataFrame:
        """Drafts of so many stolen cards, card tests and takeovers that begin now."""
        rng, population = self._rng, self._campaigns.population
        stolen, tested, taken = (np.full(number, ts_ms, dtype=np.int64) for number in begins)
        customers = len(population.customers)
        thief, tester = Thief(rng, population, PACE), Thief(rng, population, TESTING_PACE)
        sizes = 2 + rng.poisson(TAKEOVER_SIZE - 2, len(taken))
        return pl.concat(
            [
                thief.stolen_card(rng.integers(0, customers, len(stolen)), stolen),
                tester.card_testing(rng.integers(0, customers, len(tested)), tested),
                thief.account_takeover(self._accounts(len(taken), ts_ms // DAY_MS), taken, sizes),
            ]
        )

    def _accounts(self, size: int, day: int) -> Takeover:
        """Some of the accounts that are taken over today in history too; fresh ones where there is none."""
        today = self._campaigns.takeovers(day)
        if len(today.customer) == 0:
            return Thief(self._rng, self._campaigns.population).choose_accounts(size)
        some = self._rng.integers(0, len(today.customer), size)
        return Takeover(today.customer[some], today.city[some], today.device[some])

    def _perhaps_bad(self, record: LiveRecord) -> LiveRecord:
        """The record itself or, in the place of an honest one, a bad one."""
        if record.kind != KINDS[0] or self._rng.random() >= self._bad_share:
            self._sent.append(record)
            return record
        kinds = [*SPOILERS, *REPEATERS] if self._sent else [*SPOILERS]
        kind = kinds[self._rng.integers(len(kinds))]
        if kind in SPOILERS:
            return record._replace(value=SPOILERS[kind](record.value, self._rng), kind=kind)
        earlier = self._sent[self._rng.integers(len(self._sent))]
        return earlier._replace(value=REPEATERS[kind](earlier.value, self._rng), kind=kind)


def letters(number: int) -> str:
    """A number in base 26, A to Z: digits of a clock and a counter in a row could look like a card number."""
    text = ""
    while number:
        number, digit = divmod(number, 26)
        text = string.ascii_uppercase[digit] + text
    return text


def _numbers(first: int, upto: int) -> pl.Series:
    return pl.int_range(first, upto, eager=True).cast(pl.String).str.zfill(6)
