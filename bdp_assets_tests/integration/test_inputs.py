"""Every input of the table goes through the real stream in one run; each is then looked at by its name."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from bdp_assets.clients.kafka import Message, topic_ids
from bdp_assets.contracts.codec import decode_dead_letter, decode_prediction, decode_validated
from bdp_assets.contracts.headers import SOURCE, STEP
from bdp_assets.contracts.pan import mask_pans
from bdp_assets.contracts.topics import DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.pan_key import pan_key
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.inputs import CUSTOMER, NAMES, PAN, Input, inputs
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream

pytestmark = pytest.mark.services


class Ran(NamedTuple):
    """The stream after all inputs, one customer's, so that their offsets count them."""

    stream: Stream
    cases: Sequence[Input]

    def of(self, case: Input, topic: str) -> list[Message]:
        """Records on the topic that came of the case."""
        place = str(self.cases.index(case)).encode()
        return [m for m in self.stream.records(topic) if (m.header(SOURCE) or b"").split(b":")[2] == place]


@pytest.fixture(scope="module")
def ran(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("inputs")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    stream, cases = Stream(platform, home), inputs(time.time_ns() // 1_000_000)
    stream.send((CUSTOMER, case.value) for case in cases)
    with stream.worker():
        stream.drain()
    return Ran(stream, cases)


@pytest.mark.parametrize("name", NAMES)
def test_input(ran: Ran, name: str) -> None:
    case = ran.cases[NAMES.index(name)]
    letters, predictions = ran.of(case, DLQ.name), ran.of(case, PREDICTIONS.name)
    if case.error is None:
        assert not letters
        assert_accepted(ran, case, predictions)
    else:
        assert not predictions
        assert_refused(ran, case, letters)


def assert_accepted(ran: Ran, case: Input, predictions: Sequence[Message]) -> None:
    (record,) = ran.of(case, VALIDATED.name)
    transaction = decode_validated(record.value or b"")
    assert tuple(transaction.flags) == case.flags
    assert case.amount_minor in (None, transaction.amount_minor)
    (prediction,) = predictions
    assert decode_prediction(prediction.value or b"").transaction_id == transaction.transaction_id


def assert_refused(ran: Ran, case: Input, letters: Sequence[Message]) -> None:
    (record,) = letters
    letter = decode_dead_letter(record.value or b"")
    assert (record.header(STEP) or b"").decode() == case.step
    assert (letter.error, letter.field) == (case.error, case.field)
    assert len(ran.of(case, VALIDATED.name)) == (case.step != "validate")
    assert not ran.of(case, ENRICHED.name)
    kept = b64decode(letter.value_base64)
    assert letter.masked == ("pan" in case.name)
    assert letter.masked or kept == (case.value or b"")
    assert PAN.encode() not in kept
    hashes = mask_pans(case.value or b"", pan_key(ran.stream.settings)).hashes
    assert letter.pan_hashes == hashes, "the worker hashes with the installation's key"


def test_a_redelivery_of_the_same_messages_gives_the_same_records(ran: Ran) -> None:
    topic_id = topic_ids(ran.stream.settings, [RAW.name])[RAW.name]
    decider = Decider.load(ran.stream.settings.models_dir / "champion")
    store = ran.stream.store
    again = Scoring(
        store, decider, lambda: topic_id, alerts=Alerts(store.client), pan_key=pan_key(ran.stream.settings)
    )
    redelivered = again(ran.stream.records(RAW.name))
    assert sorted(redelivered) == sorted(ran.stream.published())


def test_nothing_of_a_card_number_is_logged_and_the_ledger_balances(ran: Ran) -> None:
    assert PAN not in ran.stream.log()
    ledger = read_ledger(ran.stream.settings)
    assert ledger.balanced
    refused = [case.error for case in ran.cases if case.error]
    assert ledger.refused == {error: refused.count(error) for error in sorted(set(refused))}
