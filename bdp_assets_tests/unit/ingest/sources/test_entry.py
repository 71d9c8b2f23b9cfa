"""Entries: what is wrong is said so that a newcomer knows what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bdp_assets.ingest.mapping import ConstantSource, MappingError
from bdp_assets.ingest.sources import entry as entries
from bdp_assets_tests.unit.ingest.sources.entries import SHOP, TABLE, TOPIC, entry, settings_of, write

ROOT = Path(__file__).resolve().parents[4]
FIELDS = SHOP["fields"]


def test_the_committed_example_is_sound() -> None:
    source = entries.load_file(ROOT / entries.EXAMPLE)
    assert (source.kind, source.name) == ("csv", "shop")
    assert source.location == str(ROOT / "deploy" / "sources" / "data" / "shop-*.csv.gz")


def test_zone_currency_and_defaults_reach_the_fields(tmp_path: Path) -> None:
    fields = entry(tmp_path).to_contract().fields
    assert fields.timestamp.time_zone == "Europe/Paris"
    assert fields.currency == ConstantSource(constant="EUR")
    assert fields.channel == ConstantSource(constant="pos")


def test_what_a_field_says_itself_stands(tmp_path: Path) -> None:
    own = {**FIELDS, "currency": {"constant": "USD"}, "channel": {"column": "via", "default": "web"}}
    own["timestamp"] = {"column": "paid_at", "time_zone": "UTC"}
    fields = entry(tmp_path, fields=own).to_contract().fields
    assert fields.timestamp.time_zone == "UTC"
    assert fields.currency == ConstantSource(constant="USD")
    assert fields.channel is not None
    assert getattr(fields.channel, "default", None) == "web"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"locaton": "x.csv"}, r"locaton is not known; did you mean location\?"),
    (
        {"location": None},
        "needs location .*, format, dsn_variable, table and cursor .* or format, bootstrap_variable",
    ),
    ({"location": "shop.xlsx"}, r"ends in none of \.csv, .*say its format"),
    ({"location": "s3://bucket/x.csv"}, "URLs are not read: fetch it first"),
    ({"name": "Shop-1"}, "name must be 1 to 40 small letters"),
    ({"name": "other"}, "says name: other. Name the file and the source alike"),
    ({"time_zone": "Mars"}, "time_zone: Mars is no time zone"),
    ({"delimiter": ";;"}, "delimiter"),
    ({"batch_rows": 0}, "batch_rows: .*greater than or equal to 1"),
    ({"defaults": {"chanel": "pos"}}, r"defaults\.chanel .* did you mean channel\?"),
    ({"defaults": {"amount": "1"}}, r"defaults\.amount is no field that may have one"),
    ({"defaults": {"currency": "USD"}}, "say the same: leave one out"),
    ({"cursor": "id"}, "table and cursor are for databases"),
    ({"location": None, **TABLE, "cursor": None}, "a table also needs cursor"),
    ({**TABLE}, "location is for files"),
    ({**TOPIC, "topic": None}, "a topic needs format: kafka, topic and bootstrap_variable"),
    ({**TOPIC, "format": None}, "a topic needs format: kafka, topic and bootstrap_variable"),
    ({**TOPIC, "location": "x.csv"}, "location, dsn_variable, table and cursor are not for topics"),
    ({**TOPIC, "bootstrap_variable": "kafka:9092"}, "must be the name of an environment variable"),
    ({**TOPIC, "topic": "transactions-raw-v1"}, "a name of ours; read as a source it would feed itself"),
    (
        {"location": None, **TABLE, "dsn_variable": "postgresql://me:secret@db/shop"},
        "must be the name of an environment variable",
    ),
    ({"fields": {**FIELDS, "amonut": "x"}}, r"fields\.amonut is not known; did you mean amount\?"),
]


@pytest.mark.parametrize(("changed", "says"), WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(MappingError, match=says) as told:
        entry(tmp_path, **changed)
    assert "secret" not in str(told.value)


def test_an_unknown_name_is_likened_to_the_known(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(MappingError, match=r"no source .*shap\.yaml; did you mean shop\?"):
        entries.load(settings_of(tmp_path), "shap")


def test_entries_may_be_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    folder = write(tmp_path).parent
    elsewhere = settings_of(tmp_path / "empty")
    assert entries.names(elsewhere) == []
    assert entries.load(elsewhere.model_copy(update={"sources_dir": folder}), "shop").name == "shop"


def test_all_entries_are_listed_also_the_broken_ones(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "sources" / "broken.yaml").write_text("a: [")
    found = entries.load_all(settings_of(tmp_path))
    assert {name: isinstance(source, MappingError) for name, source in found.items()} == {
        "broken": True,
        "shop": False,
    }
