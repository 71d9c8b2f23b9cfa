"""Joined features are what a transaction would get that came last, then and there; rows are never lost."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.features.batch import build_features
from bdp_assets.features.bulk import cuts
from bdp_assets.features.bulk.answerable import answerable
from bdp_assets.features.bulk.arrival import KEPT, Input
from bdp_assets.features.bulk.build import History, How, join_file
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import CUSTOMER, Catalog
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.frames import bits, label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, catalogs, labels, streams, transaction


@settings(max_examples=cases(60), deadline=None)
@given(st.data(), st.integers(1, 12))
def test_each_row_gets_what_a_transaction_then_would_get(data: st.DataObject, rows_per_bucket: int) -> None:
    catalog, transactions = data.draw(catalogs()), data.draw(streams(most=15))
    events, known = transaction_frame(transactions), label_frame(data.draw(labels(transactions)))
    questions = transaction_frame(data.draw(streams(most=8)))
    with mock.patch.object(cuts, "GRAIN", 1), bounded(data.draw(st.sampled_from((0, 3, 2_000)))):
        joined = join(events, known, questions, catalog, rows_per_bucket)
        expected = [alone(events, known, question, catalog) for question in questions.iter_slices(1)]
    assert joined["place"].to_list() == list(range(len(questions)))
    assert bits(joined.select(catalog.names).rows()) == bits([row for rows in expected for row in rows])


def join(
    events: pl.DataFrame, known: pl.DataFrame, questions: pl.DataFrame, catalog: Catalog, rows: int
) -> pl.DataFrame:
    asked = questions.lazy().with_row_index(f"{KEPT}place")
    history = History(Input("events", events.lazy()), Input("labels", known.lazy()))
    with TemporaryDirectory() as folder:
        output = Path(folder) / "joined.parquet"
        join_file(history, Input("spine", asked), output, catalog, How(rows))
        return pl.read_parquet(output)


def alone(
    events: pl.DataFrame, known: pl.DataFrame, question: pl.DataFrame, catalog: Catalog
) -> list[tuple[float, ...]]:
    """The question as the last transaction to arrive, under an id of its own."""
    last = pl.concat([events, question.with_columns(transaction_id=pl.lit("question"))])
    return build_features(last, known, catalog)[-1].select(catalog.names).rows()


def test_without_history_there_are_defaults() -> None:
    empty = transaction_frame([])
    questions = transaction_frame([transaction(0, START), transaction(0, START)])
    joined = join(empty, label_frame([]), questions, CATALOG, 10)
    assert joined.select(CATALOG.names).equals(
        build_features(questions[:1], None, CATALOG).select(CATALOG.names)[[0, 0]]
    )


def test_a_catalog_is_cut_to_what_rows_name() -> None:
    found = answerable(CATALOG, {"customer_id"}, has_amount=True)
    assert set(found.catalog.entities) == {CUSTOMER}
    assert found.left_out["customer_merchant_is_new"] == "customer_merchant_count_90d"
