"""Files of scores: those of the ensemble on the features in memory, row by row, or no file at all."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.decisions.decider import Decider
from bdp_assets.features.batch import build_features
from bdp_assets.features.bulk.build import silent
from bdp_assets.features.bulk.failures import BulkFailed
from bdp_assets.features.bulk.merge import CATALOG_VERSION
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations import score_files
from bdp_assets.operations.feature_files import Sources, Work
from bdp_assets.operations.score_files import Scored, score_features, score_transactions
from bdp_assets.settings import Settings
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import labels, streams

ROWS = 1_000
MATRIX, _ = tiny_rows(len(CATALOG.names), rows=ROWS, seed=9)


@pytest.fixture(scope="session")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return Decider.load(tiny_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """1,000 rows with a number each, in order."""
    path = tmp_path / "features.parquet"
    pl.DataFrame(MATRIX, schema=list(CATALOG.names)).with_row_index("number").write_parquet(path)
    return path


@settings(max_examples=cases(60), deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(1, 9))
def test_scores_of_a_file_are_the_ensembles_on_features_in_memory(
    decider: Decider, data: st.DataObject, rows_per_bucket: int, batch: int
) -> None:
    transactions = data.draw(streams())
    known = data.draw(labels(transactions))
    frame, label_rows = transaction_frame(transactions), label_frame(known)
    with TemporaryDirectory() as folder, mock.patch.object(score_files, "BATCH", batch):
        scores = scored_file(Path(folder), frame, label_rows, decider, rows_per_bucket)
    expected = build_features(frame, label_rows)
    assert scores.select("transaction_id", "customer_id", "ts_ms").equals(
        frame.select("transaction_id", "customer_id", "ts_ms")
    )
    probability = decider.ensemble.score(expected.select(CATALOG.names).to_numpy())
    assert scores["fraud_probability"].to_numpy().tobytes() == probability.tobytes()


def scored_file(
    folder: Path, frame: pl.DataFrame, label_rows: pl.DataFrame, decider: Decider, rows_per_bucket: int
) -> pl.DataFrame:
    frame.write_parquet(folder / "transactions.parquet")
    label_rows.write_parquet(folder / "labels.parquet")
    own, sources = Settings(home=folder / "home"), Sources(str(folder / "transactions.parquet"))
    work = Work("local", rows_per_bucket, silent)
    output = folder / "scores.parquet"
    done = score_transactions(own, sources, sources.history(own), output, decider, work)
    assert done.rows == len(frame)
    assert {path.name for path in folder.iterdir()} == {
        "transactions.parquet",
        "labels.parquet",
        "scores.parquet",
    }
    return pl.read_parquet(output)


def test_rows_keep_their_order_over_batches_and_row_groups(
    features: Path, tmp_path: Path, decider: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.read_parquet(features).write_parquet(features, row_group_size=300)
    monkeypatch.setattr(score_files, "BATCH", 128)
    told: list[tuple[str, int, int]] = []
    done = score(features, tmp_path / "scores.parquet", decider, lambda *step: told.append(step))
    found = pl.read_parquet(tmp_path / "scores.parquet")
    assert found["number"].to_list() == list(range(ROWS))
    assert found["fraud_probability"].to_list() == decider.ensemble.score(MATRIX).tolist()
    assert {(step, total) for step, _, total in told} == {("score", ROWS)}
    assert sum(more for _, more, _ in told) == done.rows == ROWS
    assert done.decisions == dict(found.group_by("decision").len().iter_rows())
    assert pyarrow.parquet.ParquetFile(tmp_path / "scores.parquet").num_row_groups > 1


def test_a_file_without_rows_is_scored_to_one_without_rows(
    features: Path, tmp_path: Path, decider: Decider
) -> None:
    score(features, tmp_path / "whole.parquet", decider)
    pl.read_parquet(features).clear().write_parquet(features)
    assert score(features, tmp_path / "scores.parquet", decider).rows == 0
    found = pl.read_parquet(tmp_path / "scores.parquet")
    assert found.schema == pl.read_parquet(tmp_path / "whole.parquet").schema


def test_a_file_may_be_scored_into_its_own_place(features: Path, decider: Decider) -> None:
    score(features, features, decider)
    assert pl.read_parquet(features)["number"].to_list() == list(range(ROWS))


def test_a_bad_row_at_the_end_leaves_the_output_as_it_was(
    features: Path, tmp_path: Path, decider: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_files, "BATCH", 100)
    holes = np.append(MATRIX[:-1, 3], np.nan)
    pl.read_parquet(features).with_columns(pl.Series(CATALOG.names[3], holes)).write_parquet(features)
    assert_refused(features, tmp_path, decider, f"features must be finite.*{CATALOG.names[3]}")


def test_features_that_are_missing_are_told(features: Path, tmp_path: Path, decider: Decider) -> None:
    pl.read_parquet(features).drop(CATALOG.names[1:3]).write_parquet(features)
    sentence = f"lacks 2 features that model .* reads, first {CATALOG.names[1]}. Write it"
    assert_refused(features, tmp_path, decider, sentence)


def test_features_of_another_catalog_are_refused_by_the_files_own_word(
    features: Path, tmp_path: Path, decider: Decider
) -> None:
    table = pyarrow.parquet.read_table(features)
    for version in (CATALOG.version, "0123456789ab"):
        pyarrow.parquet.write_table(table.replace_schema_metadata({CATALOG_VERSION: version}), features)
        if version == CATALOG.version:
            score(features, tmp_path / "fits.parquet", decider)
    assert_refused(features, tmp_path, decider, "has features of catalog 0123456789ab, but model")


def test_features_of_another_catalog_are_refused_by_their_rows(
    features: Path, tmp_path: Path, decider: Decider
) -> None:
    version = pl.when(pl.col("number") == 700).then(pl.lit("old")).otherwise(pl.lit(CATALOG.version))
    pl.read_parquet(features).with_columns(catalog_version=version).write_parquet(features)
    assert_refused(features, tmp_path, decider, "has features of catalog old, but model")


def test_a_full_disk_is_told(features: Path, tmp_path: Path, decider: Decider) -> None:
    full = mock.patch.object(pyarrow.parquet.ParquetWriter, "write_table", side_effect=OSError(28, "full"))
    with full:
        assert_refused(features, tmp_path, decider, "is full. Free space")


@pytest.mark.parametrize("kept", [0, 400])
def test_a_file_that_is_cut_off_is_told(features: Path, tmp_path: Path, decider: Decider, kept: int) -> None:
    features.write_bytes(features.read_bytes()[:kept])
    assert_refused(features, tmp_path, decider, "features.parquet can not be read")


def test_no_file_and_a_folder_are_told(features: Path, tmp_path: Path, decider: Decider) -> None:
    assert_refused(tmp_path / "absent.parquet", tmp_path, decider, "absent.parquet can not be read")
    with pytest.raises(BulkFailed, match="is a folder: name a file"):
        score(features, tmp_path, decider)


def score(features: Path, output: Path, decider: Decider, progress: object = silent) -> Scored:
    return score_features(features, output, decider, progress)  # type: ignore[arg-type]


def assert_refused(features: Path, folder: Path, decider: Decider, sentence: str) -> None:
    output = folder / "scores.parquet"
    output.write_text("as it was")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(BulkFailed, match=sentence):
        score(features, output, decider)
    assert output.read_text() == "as it was"
    assert {path.name for path in folder.iterdir()} == before
