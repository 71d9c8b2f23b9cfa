"""`bdp train --data FILE`: metrics and a bundle, without a registry; or a sentence and no bundle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.registry import RegistryUnavailable
from bdp_assets.operations import train_model
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.settings import get_settings, variables
from bdp_assets.training.pipeline import train
from bdp_assets_tests.fakes.tiny_bundle import TINY
from benchmarks.features import synthetic
from benchmarks.features.data import prepared

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
MAPPING = ROOT / "deploy" / "sources" / "handbook.yaml"
RAW = synthetic.handbook(rows=60_000, customers=2_400, terminals=1_200)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(train_model, "train", partial(train, recipe=TINY))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def run(**options: object) -> Result:
    named = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return CliRunner().invoke(app, ["train", *named])


def handbook(**options: object) -> Result:
    RAW.write_parquet("raw.parquet")
    asked = {"data": "raw.parquet", "mapping": MAPPING, "protocol": "handbook", "start": "2018-07-25"}
    return run(**{**asked, **options})


def test_a_foreign_file_by_its_mapping_gives_metrics_and_a_bundle(home: Path) -> None:
    done = handbook(output="model")
    assert done.exit_code == 0, done.output
    for words in (
        "Tested on 2018-08-08 to 2018-08-14",
        "average precision",
        "look for leaks",
        "Bundle: model",
    ):
        assert words in done.output
    training = Bundle.read(home / "model").manifest.training
    assert training.snapshot_version is not None
    assert training.snapshot_version.startswith("raw.parquet@")
    assert "handbook.yaml@" in training.snapshot_version
    assert not (home / "home").exists()
    assert handbook(output="model").exit_code == 0


def test_a_file_with_the_platforms_columns_by_the_default_protocol(home: Path) -> None:
    given = prepared(RAW, "made up", made_up=True)
    labels = given.labels.select("customer_id", "transaction_id", "is_fraud")
    given.transactions.join(labels, on=["customer_id", "transaction_id"]).write_parquet("own.parquet")
    done = run(data="own.parquet", label_delay_days=5)
    assert done.exit_code == 0, done.output
    # The data ends with 30 September: five days for the labels, seven to test, five more, 28 to train.
    assert "Tested on 2018-09-19 to 2018-09-25" in done.output
    assert "2018-08-17 to 2018-09-13" in done.output
    assert "The model was not kept" in done.output
    assert {path.name for path in home.iterdir()} == {"own.parquet"}


def test_what_knows_too_much_is_refused(home: Path) -> None:
    given = prepared(RAW, "made up", made_up=True)
    given.transactions.write_parquet("own.parquet")
    given.labels.with_columns(known_at_ms=pl.col("known_at_ms") - 8 * 86_400_000).write_parquet(
        "early.parquet"
    )
    done = run(data="own.parquet", labels="early.parquet", output="model")
    assert done.exit_code == 2
    assert "60,000 labels say that they were known before their transaction" in done.output
    assert not (home / "model").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"data": "nothing.parquet", "mapping": MAPPING}, "nothing.parquet. Name one that is there."),
        ({"data": "broken.parquet"}, "broken.parquet can not be read"),
        ({"mapping": "nothing.yaml"}, "There is no mapping file nothing.yaml"),
        ({"data": "none.parquet"}, "none.parquet has no transactions"),
        ({"start": "2018-03-01"}, "a model needs both kinds"),
        ({"output": "full"}, "full is there and is no bundle"),
        ({"output": "raw.parquet/model"}, "can not be written to raw.parquet/model"),
        ({"data": "lake"}, "--label-delay-days go with --data FILE"),
    ],
)
def test_what_can_not_be_trained_on_is_told(options: dict[str, object], sentence: str, home: Path) -> None:
    (home / "full").mkdir()
    (home / "full" / "notes.txt").write_text("mine")
    (home / "broken.parquet").write_text("PAR1")
    RAW.clear().write_parquet("none.parquet")
    done = handbook(**options)
    assert done.exit_code == 2, done.output
    assert sentence.replace(" ", "") in done.output.replace("\n", "").replace(" ", "")
    assert "Tested on" not in done.output


def test_the_handbooks_protocol_wants_a_start() -> None:
    RAW.write_parquet("raw.parquet")
    done = run(data="raw.parquet", mapping=MAPPING, protocol="handbook")
    assert done.exit_code == 2
    assert "--start YYYY-MM-DD" in done.output


def test_a_lake_without_tables_is_told() -> None:
    done = CliRunner().invoke(app, ["train", "--no-register"])
    assert done.exit_code == 2
    assert "there is nothing to train on yet" in done.output


def test_a_registry_that_is_away_is_told_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_MLFLOW_URI", "http://127.0.0.1:1")
    get_settings.cache_clear()
    done = run()
    assert done.exit_code == 2
    assert "MLflow at http://127.0.0.1:1 failed" in done.output
    assert train_model.READ not in done.output


def test_a_registry_that_goes_away_meanwhile_is_told_with_what_keeps_a_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*asked: object) -> None:
        raise RegistryUnavailable("MLflow failed. See `bdp status`.")

    monkeypatch.setattr(train_model, "release", away)
    trained: Any = None
    with pytest.raises(RegistryUnavailable, match=r"bdp status`. .*--output DIR"):
        train_model.registered(get_settings(), trained)


@pytest.mark.handbook
@pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not beside the project")
def test_the_handbook_is_trained_on_by_one_command(home: Path) -> None:
    done = run(
        data=DATA / "handbook_raw.parquet",
        mapping=MAPPING,
        protocol="handbook",
        start="2018-07-25",
        output="model",
    )
    assert done.exit_code == 0, done.output
    metrics = Bundle.read(home / "model").manifest.training.metrics
    assert (metrics["test_rows"], metrics["test_frauds"]) == (58_264, 385)
    assert metrics["average_precision"] > 0.6
