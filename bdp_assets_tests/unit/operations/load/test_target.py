"""What is not on this machine is loaded on the caller's word alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.operations.load.target import Address, api_address, refuse_foreign_kafka
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

HERE = ["http://127.0.0.1:8000", "http://127.9.9.9:8000", "http://localhost:8000", "http://[::1]:8000/"]
ELSEWHERE = [
    "http://api.example.com",
    "http://10.0.0.1:5001",
    "http://localhost.example.com:5001",
    "http://127.0.0.1@api.example.com:5001",
    "http://127.0.0.1.example.com",
    "http://0.0.0.0:5001",
]


def _settings(home: Path, **others: object) -> Settings:
    return Settings(_env_file=None, home=home, **others)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("url", HERE)
def test_loopback_may_be_loaded(tmp_path: Path, url: str) -> None:
    assert api_address(_settings(tmp_path), url, is_mine=False).port == 8000


@pytest.mark.parametrize("url", ELSEWHERE)
def test_others_are_refused_without_being_named_and_loaded_on_the_callers_word(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(Problem, match="--i-own-this-target") as refused:
        api_address(_settings(tmp_path), url, is_mine=False)
    assert url not in str(refused.value)
    assert api_address(_settings(tmp_path), url, is_mine=True).host in url


@pytest.mark.parametrize(
    "url", ["https://localhost", "localhost:5001", "http://", "http://localhost:x", "http://[a"]
)
def test_what_is_no_address_of_ours_says_how_one_looks(tmp_path: Path, url: str) -> None:
    with pytest.raises(Problem, match="http://host:port"):
        api_address(_settings(tmp_path), url, is_mine=True)


def test_the_platforms_own_api_is_the_default(tmp_path: Path) -> None:
    address = api_address(_settings(tmp_path, api_port=4711), None, is_mine=False)
    assert address == Address("127.0.0.1", 4711)


@pytest.mark.parametrize("brokers", ["kafka.example.com:9092", "127.0.0.1:9092,10.0.0.1:9092"])
def test_one_broker_elsewhere_is_enough_to_refuse(tmp_path: Path, brokers: str) -> None:
    with pytest.raises(Problem, match="BDP_KAFKA_BOOTSTRAP"):
        refuse_foreign_kafka(_settings(tmp_path, kafka_bootstrap=brokers), is_mine=False)
    refuse_foreign_kafka(_settings(tmp_path, kafka_bootstrap=brokers), is_mine=True)


@pytest.mark.parametrize("brokers", [None, "localhost:9092", "127.0.0.1:9092, [::1]:9093"])
def test_brokers_on_loopback_may_be_loaded(tmp_path: Path, brokers: str | None) -> None:
    refuse_foreign_kafka(_settings(tmp_path, kafka_bootstrap=brokers), is_mine=False)
