"""How tables, frames and plots look in Dagster's pages."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from bdp_assets.ingest.failure_cases import failure_cases, reasons
from bdp_assets.ingest.meanings import meanings
from bdp_assets.ingest.tables import TABLES

PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 12


def column_schema(table: str, origins: Mapping[str, str]) -> dg.TableSchema:
    """Columns of one of the lake's tables, with their types, what they mean, and where they come from."""
    told = {name: f"{means} {origins.get(name, '')}".strip() for name, means in meanings(table).items()}
    return dg.TableSchema(
        [dg.TableColumn(name, str(dtype), told[name]) for name, dtype in TABLES[table].items()]
    )


def markdown_table(frame: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """All rows of a small frame."""
    lines = [frame.columns, ["---"] * frame.width, *frame.iter_rows()]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines))


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
    return text.replace("|", "\\|")


def preview(frame: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """The first rows and columns."""
    return markdown_table(frame.head(PREVIEW_ROWS).select(frame.columns[:PREVIEW_COLUMNS]))


def refusals(refused: pl.DataFrame) -> Mapping[str, dg.MarkdownMetadataValue]:
    """Rows of `quarantined` by reason, and a few of each as they were."""
    if refused.is_empty():
        return {"reasons": markdown_table(reasons(refused))}
    # As code: anybody may have sent a row that is Markdown or HTML, or that fetches a picture.
    as_code = pl.format("`{}`", pl.col("row").str.replace_all("`", "'", literal=True))
    cases = failure_cases(refused).with_columns(row=as_code)
    return {"reasons": markdown_table(reasons(refused)), "failure cases": markdown_table(cases)}


def image(png: bytes) -> dg.MarkdownMetadataValue:
    """A plot inside the page, without a server for it."""
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{b64encode(png).decode()})")


def row_counts(frame: pl.DataFrame) -> Mapping[str, Mapping[str, Any]]:
    """Metadata of each partition (day) in a frame with an event date."""
    counts = frame.group_by("event_date").len().iter_rows()
    return {day.isoformat(): {"dagster/partition_row_count": rows} for day, rows in counts}
