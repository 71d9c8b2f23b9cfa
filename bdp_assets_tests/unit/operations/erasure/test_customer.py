"""Whom an erasure may be about, and that nobody is named by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import PAN_KEY


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, home=tmp_path, pan_hash_key=SecretStr(PAN_KEY.decode()))  # type: ignore[call-arg]


def test_a_customer_is_known_by_a_keyed_hash_alone(settings: Settings) -> None:
    customer = Customer.of(settings, "c-1")
    assert "c-1" not in repr(customer)
    assert customer.hashed == Customer.of(settings, "c-1").hashed
    other_key = settings.model_copy(
        update={"pan_hash_key": SecretStr("another key of the tests, and of nobody")}
    )
    hashes = {customer.hashed, Customer.of(settings, "c-2").hashed, Customer.of(other_key, "c-1").hashed}
    assert len(hashes) == 3


@pytest.mark.parametrize("wrong", ["", "-c", "c 1", "c*", "c" * 65, "4111111111111111"])
def test_what_no_transaction_can_have_is_refused_and_not_repeated(settings: Settings, wrong: str) -> None:
    with pytest.raises(Problem) as refused:
        Customer.of(settings, wrong)
    assert not wrong.strip("-c *") or wrong not in str(refused.value)
