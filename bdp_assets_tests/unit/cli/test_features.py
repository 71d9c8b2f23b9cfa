"""`bdp features build` and `join`: files in, a Parquet file out, or a sentence and no file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.features.batch import build_features
from bdp_assets.features.bulk.workspace import Workspace
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.settings import get_settings, variables
from bdp_assets_tests.unit.features.bulk.streams import busy_stream, label_some

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
MAPPING = ROOT / "deploy" / "sources" / "handbook.yaml"
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def frame(home: Path) -> pl.DataFrame:
    """transactions.parquet and labels.parquet."""
    frame = busy_stream(400, HOUR)
    frame.write_parquet(home / "transactions.parquet")
    label_some(frame, 9 * 24 * HOUR).write_parquet(home / "labels.parquet")
    return frame


def run(command: str, **options: object) -> Result:
    named = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return CliRunner().invoke(app, ["features", command, *named])


def build(**options: object) -> Result:
    return run("build", **{"input": "transactions.parquet", "output": "features.parquet", **options})


def test_build_writes_the_features_of_a_file(frame: pl.DataFrame) -> None:
    done = build(rows_per_bucket=50)
    assert done.exit_code == 0, done.output
    assert f"400 rows with {len(CATALOG.names)} features" in done.output
    expected = build_features(frame, pl.read_parquet("labels.parquet"))
    assert pl.read_parquet("features.parquet").equals(expected)


def test_csv_is_the_same(frame: pl.DataFrame) -> None:
    frame.write_csv("transactions.csv")
    assert build(input="transactions.csv").exit_code == 0
    assert pl.read_parquet("features.parquet").equals(
        build_features(frame, pl.read_parquet("labels.parquet"))
    )


def test_without_labels_it_says_so(frame: pl.DataFrame, home: Path) -> None:
    (home / "labels.parquet").unlink()
    done = build()
    assert "nothing is known to be fraud" in done.output
    assert pl.read_parquet("features.parquet").equals(build_features(frame, None))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input": "nothing.parquet"}, "There is no file nothing.parquet"),
        ({"input": "broken.parquet"}, "broken.parquet can not be read: parquet: File out of specification"),
        ({"input": "lake"}, "The lake has no table enriched yet"),
        ({"mapping": MAPPING}, "has no such column: fields.transaction_id says TRANSACTION_ID"),
        ({"input": "holes.parquet"}, "holes.parquet: row 2 has no ts_ms"),
        ({"input": "negative.parquet"}, "negative.parquet: amount_base_minor has a number below 0"),
        ({"input": "bare.parquet"}, "bare.parquet lacks amount, customer_id, timestamp, transaction_id"),
        ({"input": "semicolons.csv"}, "no comma is between its values, the mapping names the `delimiter`"),
    ],
)
def test_what_can_not_be_read_is_told(
    options: dict[str, object], sentence: str, frame: pl.DataFrame, home: Path
) -> None:
    (home / "broken.parquet").write_bytes((home / "transactions.parquet").read_bytes()[:500])
    frame.with_columns(ts_ms=pl.Series([1, None, *frame["ts_ms"][2:]])).write_parquet("holes.parquet")
    frame.with_columns(amount_base_minor=-1).write_parquet("negative.parquet")
    frame.select("ts_ms").write_parquet("bare.parquet")
    frame.write_csv("semicolons.csv", separator=";")
    (home / "features.parquet").write_text("as it was")
    done = build(**options)
    assert done.exit_code == 2, done.output
    assert sentence.replace(" ", "") in done.output.replace("\n", "").replace(" ", "")
    assert (home / "features.parquet").read_text() == "as it was"
    assert not [path for path in home.iterdir() if path.name.startswith(".features")]


def test_a_full_disk_is_told_and_leaves_nothing(
    frame: pl.DataFrame, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "keyed", lambda *_: Path("/dev/full"))
    done = build()
    assert done.exit_code == 2, done.output
    assert "is full. Free space" in done.output
    assert {path.name for path in home.iterdir()} == {"transactions.parquet", "labels.parquet"}


@pytest.mark.parametrize("output", ["transactions.parquet", "spine.parquet"])
def test_what_is_read_is_not_written_over(output: str, frame: pl.DataFrame, home: Path) -> None:
    pl.DataFrame({"merchant_id": ["m1"], "ts_ms": [1_530_000_000_000]}).write_parquet("spine.parquet")
    before = (home / output).read_bytes()
    files = {"input": "transactions.parquet", "output": output}
    for done in (build(output="transactions.parquet"), run("join", spine="spine.parquet", **files)):
        assert done.exit_code == 2, done.output
        assert "is read, and would be gone: name another file to write." in done.output
    assert (home / output).read_bytes() == before


def test_join_answers_each_row_in_order(frame: pl.DataFrame) -> None:
    pl.DataFrame(
        {
            "note": ["b", "a", "a", "unknown"],
            "merchant_id": ["m1", "m2", "m2", "nobody"],
            "timestamp": ["2026-01-01T00:00:00Z", *["2018-07-09T00:00:00+02:00"] * 3],
        }
    ).write_parquet("spine.parquet")
    done = run("join", spine="spine.parquet", input="transactions.parquet", output="joined.parquet")
    assert done.exit_code == 0, done.output
    assert "Left out, as they need customer_id: " in done.output
    joined = pl.read_parquet("joined.parquet")
    assert joined["note"].to_list() == ["b", "a", "a", "unknown"]
    assert joined[1].equals(joined[2])
    assert joined.columns[:3] == ["note", "merchant_id", "timestamp"]
    seen = joined["merchant_count_30d"].to_list()
    assert seen[0] == seen[3] == 0
    assert seen[1] > 0


@pytest.mark.handbook
@pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not beside the project")
def test_the_handbook_is_built_by_one_command() -> None:
    done = build(input=DATA / "handbook_raw.parquet", mapping=MAPPING, catalog="handbook")
    assert done.exit_code == 0, done.output
    ours = pl.read_parquet("features.parquet")
    raw = pl.read_parquet(DATA / "handbook_raw.parquet")
    assert set(ours.columns) == {"TRANSACTION_ID", *HANDBOOK.names}
    assert ours["TRANSACTION_ID"].equals(raw["TRANSACTION_ID"])
    published = pl.read_parquet(DATA / "handbook_features_sample.parquet")
    assert set(ours.columns) == set(published.columns)
    both = published.join(ours, on="TRANSACTION_ID", suffix="_ours")
    assert len(both) == len(published)
    far = [(pl.col(name) - pl.col(f"{name}_ours")).abs() > 1e-9 for name in HANDBOOK.names]
    tied = raw.filter(pl.struct("CUSTOMER_ID", "TX_DATETIME").is_duplicated())["TRANSACTION_ID"]
    assert len(tied) == 2 * 29
    assert set(both.filter(pl.any_horizontal(far))["TRANSACTION_ID"]) <= set(tied)
