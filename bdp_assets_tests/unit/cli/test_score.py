"""`bdp score`: files in, a Parquet file of scores out, or a sentence and no file."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.decisions.scores import SCORES
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import MANIFEST, Bundle
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings, variables
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.features.bulk.streams import busy_stream, label_some

MAPPING = Path(__file__).parents[3] / "deploy" / "sources" / "handbook.yaml"
DAY, HOUR = 24 * 3_600_000, 3_600_000


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, champion: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A champion, and transactions with labels in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    bundles = LocalBundles(get_settings().models_dir)
    shutil.copytree(champion, bundles.path("7"))
    bundles.activate("7")
    frame = busy_stream(300, HOUR)
    frame.write_parquet("transactions.parquet")
    label_some(frame, 9 * DAY).write_parquet("labels.parquet")
    yield tmp_path
    get_settings.cache_clear()


def run(*flags: str, **options: object) -> Result:
    named = {"input": "transactions.parquet", "output": "scores.parquet", **options}
    given = [part for name, value in named.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return CliRunner().invoke(app, ["score", *given, *flags])


def expected(champion: Path) -> list[float]:
    built = build_features(pl.read_parquet("transactions.parquet"), pl.read_parquet("labels.parquet"))
    return Ensemble.load(champion).score(built.select(CATALOG.names).to_numpy()).tolist()


def test_transactions_are_scored_by_the_champion(champion: Path) -> None:
    done = run(rows_per_bucket=50)
    assert done.exit_code == 0, done.output
    version = Bundle.read(champion).info.version
    assert f"300 rows scored by model {version} (" in done.output
    assert "score: 300 done" in done.output
    scores = pl.read_parquet("scores.parquet")
    assert scores.columns == ["transaction_id", "customer_id", "ts_ms", *SCORES]
    assert scores["fraud_probability"].to_list() == expected(champion)


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_other_formats_are_the_same(champion: Path, ending: str) -> None:
    frame = pl.read_parquet("transactions.parquet")
    getattr(frame, f"write_{ending}")(f"transactions.{ending}")
    assert run(input=f"transactions.{ending}").exit_code == 0
    assert pl.read_parquet("scores.parquet")["fraud_probability"].to_list() == expected(champion)


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_a_compressed_file_is_the_same(champion: Path, ending: str, home: Path) -> None:
    getattr(pl.read_parquet("transactions.parquet"), f"write_{ending}")(f"transactions.{ending}")
    plain = (home / f"transactions.{ending}").read_bytes()
    (home / f"transactions.{ending}.gz").write_bytes(gzip.compress(plain))
    assert run(input=f"transactions.{ending}.gz").exit_code == 0
    assert pl.read_parquet("scores.parquet")["fraud_probability"].to_list() == expected(champion)


def test_features_that_are_built_already_give_the_same_scores() -> None:
    assert run().exit_code == 0
    files = ["--input", "transactions.parquet", "--output", "features.parquet"]
    assert CliRunner().invoke(app, ["features", "build", *files]).exit_code == 0
    done = run("--features", input="features.parquet", output="again.parquet")
    assert done.exit_code == 0, done.output
    assert pl.read_parquet("again.parquet").equals(pl.read_parquet("scores.parquet"))


def test_without_labels_it_says_so(home: Path) -> None:
    (home / "labels.parquet").unlink()
    assert "nothing is known to be fraud" in run().output


def test_another_model_is_named_by_version_or_folder(tmp_path: Path) -> None:
    other = tiny_bundle(tmp_path / "other", seed=8)
    assert run(model=other).exit_code == 0
    by_folder = pl.read_parquet("scores.parquet")
    assert by_folder["model_version"][0] == Bundle.read(other).info.version
    shutil.copytree(other, LocalBundles(get_settings().models_dir).path("8"))
    assert run(model="8").exit_code == 0
    assert pl.read_parquet("scores.parquet").equals(by_folder)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input": "nothing.parquet"}, "There is no file nothing.parquet. Name one that is there.\n"),
        ({"input": "broken.parquet"}, "broken.parquet can not be read"),
        ({"mapping": MAPPING}, "has no such column: fields.transaction_id says TRANSACTION_ID"),
        ({"model": "9"}, "Model 9 is neither a version in"),
        ({"model": "stale"}, "was trained on feature catalog 000000000000, this code computes"),
        (
            {"output": "scores.csv"},
            "scores.csv would hold Parquet under another ending: name a .parquet file",
        ),
        ({"output": "home"}, "home is a folder: name a file to write"),
    ],
)
def test_what_can_not_be_scored_is_told(
    options: dict[str, object], sentence: str, champion: Path, home: Path
) -> None:
    (home / "broken.parquet").write_bytes((home / "transactions.parquet").read_bytes()[:500])
    bundle = Bundle.read(champion)
    training = msgspec.structs.replace(bundle.manifest.training, catalog_version="000000000000")
    manifest = msgspec.structs.replace(bundle.manifest, training=training)
    (shutil.copytree(champion, home / "stale") / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    (home / "scores.parquet").write_text("as it was")
    done = run(**options)
    assert done.exit_code == 2, done.output
    assert not (home / "scores.csv").exists()
    assert "".join(sentence.split()) in done.output.replace("\n", "").replace(" ", "")
    assert (home / "scores.parquet").read_text() == "as it was"
    assert not [path for path in home.iterdir() if path.name.startswith(".scores")]


@pytest.mark.parametrize("output", ["transactions.parquet", "labels.parquet", "here/transactions.parquet"])
def test_what_is_read_is_not_written_over(output: str, home: Path) -> None:
    (home / "here").symlink_to(home)
    before = (home / output).read_bytes()
    done = run(output=output)
    assert done.exit_code == 2, done.output
    assert f"{output} is read, and would be gone: name another file to write." in done.output
    assert (home / output).read_bytes() == before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_text_that_is_not_utf_8_is_told(ending: str, encoding: str, home: Path) -> None:
    """As spreadsheets save \"Unicode text\"."""
    frame, file = pl.read_parquet("transactions.parquet"), home / f"wide.{ending}"
    getattr(frame, f"write_{ending}")(file)
    file.write_text(file.read_text(), encoding=encoding)
    done = run(input=file.name)
    assert done.exit_code == 2, done.output
    assert f"{file.name} can not be read: " in done.output
    assert "save it as UTF-8" in " ".join(done.output.split())


def test_without_a_champion_it_says_how_to_get_one() -> None:
    LocalBundles(get_settings().models_dir).champion.unlink()
    done = run()
    assert done.exit_code == 2
    assert "There is no champion" in done.output


def test_features_have_no_labels_and_no_mapping() -> None:
    done = run("--features", labels="labels.parquet")
    assert done.exit_code == 2
    assert "--features" in done.output


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("quote.csv", 'transaction_id,customer_id,ts_ms,amount_base_minor\nt1,"4111111111111111,1,2\n'),
        ("text.csv", "transaction_id,customer_id,ts_ms,amount_base_minor\nt1,c1,4111111111111111x,2\n"),
        (
            "bare.ndjson",
            f'{{"transaction_id":"t","customer_id":"c","ts_ms":1,"amount_base_minor":2}}\n{4111111111111111}\n',
        ),
    ],
)
def test_what_can_not_be_read_is_not_repeated(name: str, content: str, home: Path) -> None:
    (home / name).write_text(content)
    done = run(input=name)
    assert done.exit_code == 2
    assert f"{name} can not be read: " in done.output
    assert "4111111111111111" not in done.output


def test_a_row_with_more_fields_than_the_header_is_refused_though_the_last_ones_are_not_read(
    home: Path,
) -> None:
    """Else the amount of an unquoted 1,250.00 would be 1."""
    header = "transaction_id,customer_id,timestamp,amount,note"
    row = "t1,c1,2026-03-01T10:00:00Z,1,250.00,lunch"
    (home / "thousands.csv").write_text(f"{header}\n{row}\n")
    done = run(input="thousands.csv")
    assert done.exit_code == 2
    assert "thousands.csv can not be read: found more fields" in done.output
