"""A planted decay is found, a healthy model is left alone, whatever the share of fraud is."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score

from bdp_assets.monitoring.performance.decay import LEAST_FRAUDS
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.operations.performance.decay import NotJudged, decay_of
from bdp_assets.operations.performance.rows import as_tested, labels_known, served
from bdp_assets.scoring.bundle import ModelInfo
from bdp_assets_tests.unit.operations.performance.oracle import DAY, HOUR, Made, Said
from bdp_assets_tests.unit.operations.performance.test_figures import AS_OF, AS_OF_MS, DELAY, lake_of

WINDOW, BOUND = Window(date(2026, 3, 10), 7), 0.2


def sample(seed: int, *, goods: int = 3_000, frauds: int = 90, apart: float = 3.0) -> pl.DataFrame:
    """Rows of a model that ranks the better the further `apart` frauds are from good ones."""
    random = np.random.default_rng(seed)
    fraud = np.repeat([False, True], [goods, frauds])
    score = random.normal(size=len(fraud)) + apart * fraud
    customers = pl.Series([f"c{n}" for n in random.integers(0, 400, len(fraud))])
    return pl.DataFrame(
        {"customer_id": customers, "probability": 1 / (1 + np.exp(4 - score)), "is_fraud": fraud}
    )


def info(tested: pl.DataFrame, **others: float) -> ModelInfo:
    """As a model is registered that was tested on these rows."""
    metrics = {
        "average_precision": float(average_precision_score(tested["is_fraud"], tested["probability"])),
        "test_rows": float(len(tested)),
        "test_frauds": float(tested["is_fraud"].sum()),
        **others,
    }
    return ModelInfo(
        name="fraud_ensemble",
        trained_at_ms=0,
        catalog_version="c",
        feature_names=(),
        metrics=metrics,
        version="3",
        digest="d",
    )


@pytest.mark.parametrize("seed", range(6))
def test_decay_is_found_and_a_healthy_model_left_alone(seed: int) -> None:
    registered = info(sample(100 + seed))
    healthy = decay_of(registered, sample(seed), WINDOW, BOUND)
    assert not healthy.is_decayed
    assert healthy.low <= healthy.matured <= healthy.high
    decayed = decay_of(registered, sample(seed, apart=1.0), WINDOW, BOUND)
    assert decayed.is_decayed
    assert "is below" in decayed.says


def test_less_fraud_alone_is_no_decay() -> None:
    """A fifth of it makes the average precision itself much smaller."""
    registered, rare = info(sample(1)), sample(2, goods=15_000)
    found = decay_of(registered, rare, WINDOW, BOUND)
    itself = average_precision_score(rare["is_fraud"], rare["probability"])
    assert itself < found.least < found.matured
    assert not found.is_decayed


def test_weights_make_of_the_rows_what_copies_of_good_ones_would() -> None:
    rows = sample(4, goods=500, frauds=50)
    copied = pl.concat([rows, *[rows.filter(~pl.col("is_fraud"))] * 2])
    found = decay_of(info(sample(5), test_rows=1_550.0, test_frauds=50.0), rows, WINDOW, BOUND)
    wanted = average_precision_score(copied["is_fraud"], copied["probability"])
    assert found.matured == pytest.approx(wanted)


def test_too_few_frauds_and_a_model_without_a_test_are_not_judged() -> None:
    few = sample(1, frauds=LEAST_FRAUDS - 1)
    with pytest.raises(NotJudged, match="29 of them known fraud"):
        decay_of(info(sample(1)), few, WINDOW, BOUND)
    unknown = msgspec.structs.replace(info(sample(1)), metrics={"average_precision": 0.5})
    with pytest.raises(NotJudged, match="registered without"):
        decay_of(unknown, sample(1), WINDOW, BOUND)


def test_rows_are_those_that_a_test_keeps() -> None:
    """`a` is blocked from the midnight after its fraud is known, which was before the mature days began;
    `b` because of a fraud too long ago is not; `c` from its second day on."""

    def made(customer: str, transaction: str, day: int, by: str = "api") -> Made:
        return Made(customer, transaction, day_ms(day), 100, 0.5, "approve", None, "x", by, day + 400)

    def day_ms(day: int) -> int:
        return AS_OF_MS + day * DAY + 5 * HOUR

    fraud = [made("a", "0", -40, "batch"), made("b", "0", -75, "batch"), made("c", "1", -9)]
    others = [made(customer, f"t{day}", day) for customer in "abd" for day in (-12, -6)]
    later = [made("c", "2", -8), made("c", "3", -6)]
    known = {"a": day_ms(-38), "b": day_ms(-30), "c": day_ms(-8)}
    said = [Said(one.customer, one.transaction, True, known[one.customer]) for one in fraud]
    lake, window = lake_of([*fraud, *others, *later], said), Window(AS_OF, DELAY)
    labels = labels_known(lake, window)
    live = served(lake, window, labels)
    assert len(live) == 9
    kept = as_tested(lake, window, live, labels)
    assert sorted(kept.select("customer_id", "transaction_id").rows()) == [
        ("b", "t-12"),
        ("b", "t-6"),
        ("c", "1"),
        ("c", "2"),
        ("d", "t-12"),
        ("d", "t-6"),
    ]
