from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from bdp_assets.clients.kafka import KafkaUnavailable
from bdp_assets.clients.lake import LakeUnavailable
from bdp_assets.clients.outage import Outage
from bdp_assets.clients.registry import RegistryUnavailable
from bdp_assets.clients.source_database import SourceUnavailable
from bdp_assets.definitions import defs
from bdp_assets.defs import retries
from bdp_assets.defs.retries import TRIES, retried

AWAY = (
    KafkaUnavailable("localhost:9092", "connection refused"),
    LakeUnavailable("no answer"),
    Outage("away"),
    RegistryUnavailable("away"),
    SourceUnavailable("away"),
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_S", 0)


def _times(error: Exception, failures: int, *, yields: bool) -> tuple[bool, int]:
    """Whether an asset that fails so often succeeds in the end, and how often it was begun."""
    begun = 0

    def fail_at_first() -> None:
        nonlocal begun
        begun += 1
        if begun <= failures:
            raise error

    @dg.asset(name="one")
    @retried
    def returning() -> None:
        fail_at_first()

    @dg.multi_asset(specs=[dg.AssetSpec("one")])
    @retried
    def yielding(context: dg.AssetExecutionContext) -> Iterator[Any]:
        fail_at_first()
        yield dg.MaterializeResult(asset_key="one")

    done = dg.materialize([yielding if yields else returning], raise_on_error=False)
    return done.success, begun


@pytest.mark.parametrize("yields", [False, True])
@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_step_tries_again_while_a_system_is_away(error: Exception, yields: bool) -> None:
    assert _times(error, TRIES, yields=yields) == (True, TRIES + 1)


def test_and_gives_up_in_the_end() -> None:
    assert _times(AWAY[0], TRIES + 1, yields=True) == (False, TRIES + 1)


@pytest.mark.parametrize("yields", [False, True])
@pytest.mark.parametrize("error", [ValueError("a defect"), dg.Failure("refused")])
def test_a_defect_fails_at_once(error: Exception, yields: bool) -> None:
    assert _times(error, 1, yields=yields) == (False, 1)


def test_each_wait_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_S", 5)
    waits = []
    for tried in range(TRIES):
        step = dg.build_op_context()
        monkeypatch.setattr(type(step), "retry_number", tried, raising=False)
        monkeypatch.setattr(dg.OpExecutionContext, "get", lambda step=step: step)
        with pytest.raises(dg.RetryRequested) as requested, retries.outages():
            raise AWAY[0]
        waits.append(requested.value.seconds_to_wait)
    assert waits == [5, 10, 20]


def test_everything_that_dagster_computes_does_so() -> None:
    computed = [made for made in defs.resolve_asset_graph().assets_defs if made.is_executable]
    assert any(made.check_keys and not made.keys for made in computed), (
        "checks by themselves are computed, too"
    )
    for made in computed:
        assert getattr(made.op.compute_fn.decorated_fn, "is_retried", False), made.op.name
