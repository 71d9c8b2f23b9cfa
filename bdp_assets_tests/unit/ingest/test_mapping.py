"""Mapping files: what is wrong is said in words that tell what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bdp_assets.contracts.wire import RawTransaction
from bdp_assets.ingest.mapping import Fields, MappingError, identity_mapping, load_mapping
from bdp_assets_tests.unit.ingest.source_files import PLAIN, mapping, source

ROOT = Path(__file__).resolve().parents[3]
LABELS = {"is_fraud": "fraud", "known_after_days": 7}


def test_fields_are_those_of_the_contract_in_its_order() -> None:
    assert set(Fields.model_fields) == set(RawTransaction.__struct_fields__)


def test_the_committed_example_is_sound() -> None:
    handbook = load_mapping(ROOT / "deploy" / "sources" / "handbook.yaml")
    assert dict(handbook.fields.columns())["merchant_id"] == "TERMINAL_ID"
    assert "TX_FRAUD_SCENARIO" in handbook.never_use


def test_a_bare_name_is_a_column(tmp_path: Path) -> None:
    assert source(pl.DataFrame(), tmp_path, PLAIN).given.fields.transaction_id.column == "id"  # type: ignore[union-attr]


WRONG: list[tuple[dict[str, Any], str]] = [
    (mapping(amonut="amount"), r"fields\.amonut is not known; did you mean amount\?"),
    (mapping(amount=None), r"fields\.amount"),
    ({**PLAIN, "fields": {"transaction_id": "id"}}, r"fields\.customer_id is missing: name the column"),
    (mapping(amount={"column": "amount", "unit": "cents"}), r"fields\.amount\.unit: .*'major' or 'minor'"),
    (mapping(timestamp={"column": "time", "time_zone": "Mars"}), r"timestamp\.time_zone: .* is no time zone"),
    (
        mapping(merchant_id="TX_FRAUD_SCENARIO"),
        r"fields\.merchant_id uses TX_FRAUD_SCENARIO, which holds the answer",
    ),
    ({**mapping(channel="fraud"), "labels": LABELS}, r"fields\.channel uses fraud, which holds the answer"),
    ({**mapping(ip="secret"), "never_use": ["secret"]}, r"fields\.ip uses secret"),
    ({**PLAIN, "labels": {"is_fraud": "fraud"}}, r"labels: needs either known_at .* or known_after_days"),
    ({**PLAIN, "labels": {**LABELS, "file": "x.csv"}}, r"labels: needs `fields` with `file`"),
    ({**PLAIN, "labels": {**LABELS, "known_after_days": -1}}, r"labels\.known_after_days: .*greater than"),
]


@pytest.mark.parametrize(("content", "says"), WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, content: dict[str, Any], says: str) -> None:
    with pytest.raises(MappingError, match=says):
        source(pl.DataFrame(), tmp_path, content)


@pytest.mark.parametrize(
    ("text", "says"), [("a: [", "is not YAML"), ("- a\n- b", "the file"), ("", "the file")]
)
def test_what_is_no_mapping_at_all(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with pytest.raises(MappingError, match=says):
        load_mapping(path)


def test_no_mapping_file(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"no mapping file .* Copy /.*/deploy/sources/handbook\.yaml"):
        load_mapping(tmp_path / "absent.yaml")


def test_a_column_that_the_file_does_not_have(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["T1"], "customer": ["C1"], "amt": [1.0], "time": ["2024-01-15T10:00:00Z"]})
    with pytest.raises(MappingError, match=r"fields\.amount says amount\. It has: id, customer, amt, time"):
        _ = source(frame, tmp_path, PLAIN).mapping


def test_without_a_mapping_the_names_must_be_the_contracts(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"fields\.transaction_id is missing"):
        _ = source(pl.DataFrame({"id": ["T1"]}), tmp_path).mapping


def test_identity_takes_the_optional_fields_that_are_there() -> None:
    names = ["transaction_id", "customer_id", "amount", "timestamp", "ip", "something_else"]
    assert [field for field, _ in identity_mapping(names).fields.columns()] == names[:5]
