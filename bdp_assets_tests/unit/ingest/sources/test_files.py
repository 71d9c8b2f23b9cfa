"""Files in chunks: the same rows in every format, on from any row, and no bad line ends a file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources import files
from bdp_assets.ingest.sources.arrivals import Rejected, Sendable, arrivals
from bdp_assets.ingest.sources.chunk import Chunk, Position
from bdp_assets.ingest.sources.csv_batches import CsvBatches, PlainRows
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.text_rows import Record, csv_rows
from bdp_assets.runtime.problems import Problem
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.ingest.sources.entries import COLUMNS, HEADER, entry, row

NOW_MS = 1_750_000_000_000


def read(
    source: Source, at: dict[str, Position] | None = None, *, growing: bool = False
) -> tuple[list[Chunk], dict[str, Position]]:
    """All chunks, and the positions after them."""
    positions = dict(at or {})
    found = list(files.chunks(source, (at or {}).get, growing=growing))
    for chunk in found:
        positions[chunk.part] = json.loads(json.dumps(chunk.after))
    return found, positions


def values(source: Source, chunks: list[Chunk]) -> list[dict[str, Any]]:
    """What would be sent."""
    found = [one for chunk in chunks for one in arrivals(chunk, source.to_contract(), now_ms=NOW_MS)]
    return [json.loads(one.value) for one in found if isinstance(one, Sendable)]


def rejected(source: Source, chunks: list[Chunk]) -> list[Rejected]:
    found = [one for chunk in chunks for one in arrivals(chunk, source.to_contract(), now_ms=NOW_MS)]
    return [one for one in found if isinstance(one, Rejected)]


def as_zst(path: Path, content: bytes) -> None:
    with pa.output_stream(str(path), compression="zstd") as stream:
        stream.write(content)


TEXT = HEADER + "".join(row(n) for n in range(25))
OBJECTS = [dict(zip(COLUMNS, row(n).strip().split(","), strict=True)) for n in range(25)]
NDJSON = "\n".join(map(json.dumps, OBJECTS))
WRITERS: dict[str, Callable[[Path], object]] = {
    "shop.csv": lambda path: path.write_text(TEXT),
    "shop.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "shop.csv.zst": lambda path: as_zst(path, TEXT.encode()),
    "shop.ndjson": lambda path: path.write_text(NDJSON),
    "shop.jsonl.gz": lambda path: path.write_bytes(gzip.compress(NDJSON.encode())),
    "shop.json": lambda path: path.write_text(json.dumps(OBJECTS, indent=1)),
    "shop.parquet": lambda path: pl.DataFrame(OBJECTS).write_parquet(path, row_group_size=7),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows_on_from_any_row(tmp_path: Path, name: str) -> None:
    source = entry(tmp_path, location=name, batch_rows=4)
    WRITERS[name](tmp_path / "sources" / name)
    chunks, _ = read(source)
    sent = values(source, chunks)
    assert [one["transaction_id"] for one in sent] == [f"R{n}" for n in range(25)]
    assert sent[3] == {
        "transaction_id": "R3",
        "customer_id": "c3",
        "amount": 12.5,
        "timestamp": "2024-01-15T09:30:00.000Z",
        "currency": "EUR",
        "channel": "pos",
        "country": "FR",
    }
    for done in range(len(chunks)):
        rest, after = read(source, {name: chunks[done].after})
        assert [one["transaction_id"] for one in values(source, rest)] == [
            one["transaction_id"] for one in values(source, chunks[done + 1 :])
        ]
        assert read(source, after)[0] == [], "all is behind: the file is not even opened"


def test_a_bad_line_is_rejected_with_its_text_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = entry(tmp_path)
    lines = [row(0), "1,c1,5\n", row(2, "-5"), row(3, "x"), "\n", row(4)]
    (tmp_path / "sources" / "shop.csv").write_bytes(
        (HEADER + "".join(lines)).encode() + b"5,\xff,1,15/01/2024 10:30:00,France\n" + row(6).encode()
    )
    chunks, _ = read(source)
    assert [one["transaction_id"] for one in values(source, chunks)] == ["R0", "R4", "R6"]
    told = {one.place: (one.error, one.field, one.original) for one in rejected(source, chunks)}
    assert told[2] == ("unreadable_row", None, b"1,c1,5")
    assert told[3][:2] == ("out_of_range", "amount")
    assert told[3][2] == row(2, "-5").strip().encode()
    assert told[4][1] == "amount"
    assert told[6][0] == "unreadable_row"
    assert "header 5" in next(one.says for one in rejected(source, chunks) if one.place == 2)


def test_a_quote_that_nobody_closes_costs_its_own_rows_only(tmp_path: Path) -> None:
    source = entry(tmp_path)
    lost, kept = [row(n) for n in range(4_000)], [row(n) for n in range(4_000, 8_000)]
    text = HEADER + '"' + "".join(lost) + "".join(kept)
    (tmp_path / "sources" / "shop.csv").write_text(text)
    chunks, _ = read(source)
    assert values(source, chunks)[-1]["transaction_id"] == "R7999"
    assert {one.error for one in rejected(source, chunks)} == {"unreadable_row"}


def test_a_line_that_is_no_object_is_rejected(tmp_path: Path) -> None:
    source = entry(tmp_path, location="shop.ndjson")
    good = json.dumps(OBJECTS[0])
    (tmp_path / "sources" / "shop.ndjson").write_text(f'{good}\n{{"receipt": \n[1]\n\n{good}\n')
    chunks, _ = read(source)
    assert len(values(source, chunks)) == 2
    assert [(one.place, one.original) for one in rejected(source, chunks)] == [
        (2, b'{"receipt":'),
        (3, b"[1]"),
    ]


def test_a_growing_file_keeps_its_last_line_until_it_has_its_end(tmp_path: Path) -> None:
    source = entry(tmp_path)
    path = tmp_path / "sources" / "shop.csv"
    path.write_text(HEADER + row(0) + row(1)[:-4])
    chunks, at = read(source, growing=True)
    assert [one["transaction_id"] for one in values(source, chunks)] == ["R0"]
    path.write_text(HEADER + row(0) + row(1) + row(2))
    chunks, at = read(source, at, growing=True)
    assert [one["transaction_id"] for one in values(source, chunks)] == ["R1", "R2"]
    assert read(source, at, growing=True)[0] == []


def test_another_file_of_the_same_name_is_not_read_from_the_middle(tmp_path: Path) -> None:
    source = entry(tmp_path)
    path = tmp_path / "sources" / "shop.csv"
    path.write_text(HEADER + row(0))
    _, at = read(source)
    path.write_text(HEADER + row(7) + row(8))
    with pytest.raises(Problem, match="another file than the one of which 1 rows were sent"):
        read(source, at)


def test_a_pattern_takes_new_files_by_name(tmp_path: Path) -> None:
    source = entry(tmp_path, location="drop-*.csv")
    assert read(source) == ([], {})
    (tmp_path / "sources" / "drop-2.csv").write_text(HEADER + row(2))
    _, at = read(source)
    (tmp_path / "sources" / "drop-1.csv").write_text(HEADER + row(1))
    chunks, at = read(source, at)
    assert [one["transaction_id"] for one in values(source, chunks)] == ["R1"]
    assert set(at) == {"drop-1.csv", "drop-2.csv"}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    source = entry(tmp_path, location="shop.csv.gz")
    (tmp_path / "sources" / "shop.csv.gz").write_bytes(gzip.compress(TEXT.encode())[:-12])
    with pytest.raises(Problem, match=r"shop\.csv\.gz is damaged or not all there"):
        read(source)


def test_no_file_and_no_column(tmp_path: Path) -> None:
    source = entry(tmp_path)
    with pytest.raises(Problem, match=r"There is no file .*shop\.csv"):
        read(source)
    (tmp_path / "sources" / "shop.csv").write_text("receipt,client\n1,2\n")
    with pytest.raises(MappingError, match=r"fields\.amount says cents.*It has: receipt, client"):
        read(source)


def test_of_two_columns_of_one_name_the_first_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b,a\n1,2,3\n")
    [record] = csv_rows(path.open("rb"), ",")
    assert isinstance(record, Record)
    assert record.values == {"a": "1", "b": "2"}
    assert pl.read_csv(path, infer_schema=False)["a"].to_list() == ["1"]


CELL = st.text(st.sampled_from('ab,"\n \u00e9'), max_size=4)


@settings(max_examples=cases(200), deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_both_doors_read_csv_alike(tmp_path_factory: pytest.TempPathFactory, cells: list[Any]) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    pl.DataFrame(cells, ["a", "b"], orient="row").write_csv(path, quote_style="non_numeric")
    batch = pl.read_csv(path, infer_schema=False).fill_null("").rows()
    found = list(csv_rows(path.open("rb"), ","))
    assert [
        tuple(one.values[name] or "" for name in "ab") for one in found if isinstance(one, Record)
    ] == batch


CELLS = st.text(st.sampled_from("ab1 ,;\t'\"\r\u00e9\u2028\ufeff\0"), max_size=4)
LINES = st.lists(
    st.one_of(
        st.lists(CELLS, min_size=3, max_size=3).map(lambda cells: ";".join(cells).encode()),
        st.tuples(st.sampled_from("ab"), st.just(""), st.sampled_from("12")).map(
            lambda c: ";".join(c).encode()
        ),
        st.sampled_from([b"", b"a;b", b"a;b;c;d", b"a;\xff;c", b'"a', b"a;b;c\r"]),
    )
)


@settings(max_examples=cases(500))
@given(LINES, st.integers(1, 5), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_batches_are_the_rows_one_by_one(found: list[bytes], most: int, end: bytes, whole: bool) -> None:
    lines = [line + end for line in [b"x;y;x", *found]]
    if not whole:
        lines[-1] = lines[-1].removesuffix(end)
    expected = list(csv_rows(lines, ";"))
    batches = CsvBatches(iter(lines), ";")
    rows: list[Any] = []
    while batch := batches.batch(most):
        assert len(batch) <= most
        if not isinstance(batch, PlainRows):
            rows += batch
            continue
        for index, values in enumerate(batch.frame(["y", "x"]).iter_rows(named=True)):
            rows.append(Record(batch.first + index, values, batch.original(index)))
    assert rows == expected


def test_lines_without_quotes_are_read_as_columns() -> None:
    batches = CsvBatches(iter([b"x;y\n", b"1;2\r\n", b"3;\n", b'"4";5\n', b"6;7"]), ";")
    kinds = [type(batches.batch(most)) for most in (2, 1, 1, 1)]
    assert kinds == [PlainRows, list, PlainRows, list]
