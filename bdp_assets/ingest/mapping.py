"""Which column of a source is which field of the contract: a small YAML file, checked.

`deploy/sources/handbook.yaml` is an example with every part explained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bdp_assets.contracts.wire import RawTransaction
from bdp_assets.ingest.explain import explain
from bdp_assets.project import FILES

EXAMPLE = FILES / "deploy" / "sources" / "handbook.yaml"


class MappingError(Exception):
    """The mapping is wrong, or does not fit the file; the message says where and what to write instead."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(
            f"{name} is no time zone that this machine knows; write UTC or a name like Europe/Paris"
        ) from None
    return name


class ColumnSource(_Part):
    """Where a field comes from; a bare name in the file is short for `{column: NAME}`."""

    column: str

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class TextSource(ColumnSource):
    """Text, or numbers written as text.

    `values` translates (`{Germany: DE}`; what it does not name stays), `prefix` goes before every value,
    `default` stands, as it is, where there is none.
    """

    prefix: str = ""
    values: dict[str, str] | None = None
    default: str | None = None


class ConstantSource(_Part):
    """The same value in every row."""

    constant: str


class AmountSource(ColumnSource):
    """Money. major: 12.34 dollars; minor: 1234 cents."""

    unit: Literal["major", "minor"] = "major"


class TimeSource(ColumnSource):
    """A moment. Text is RFC 3339 unless `format` (strftime) tells otherwise; whole numbers need a `unit`.

    `time_zone` is the zone of times that do not say theirs.
    """

    format: str | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    time_zone: Annotated[str, AfterValidator(known_zone)] | None = None


Text = TextSource | ConstantSource


class _FieldsPart(_Part):
    def columns(self) -> Iterator[tuple[str, str]]:
        """(field, column) of every field that comes from a column."""
        for name in type(self).model_fields:
            source = getattr(self, name)
            if isinstance(source, ColumnSource):
                yield name, source.column


class Fields(_FieldsPart):
    """One attribute a field of `transactions-raw-v1`, in the contract's order."""

    transaction_id: TextSource
    customer_id: TextSource
    amount: AmountSource
    timestamp: TimeSource
    merchant_id: Text | None = None
    currency: Text | None = None
    merchant_category: Text | None = None
    channel: Text | None = None
    country: Text | None = None
    latitude: ColumnSource | None = None
    longitude: ColumnSource | None = None
    device_id: Text | None = None
    ip: Text | None = None
    type: Text | None = None


class LabelFields(_FieldsPart):
    """What a file of labels says of the transaction that a label is about."""

    transaction_id: TextSource
    customer_id: TextSource
    merchant_id: Text | None = None
    timestamp: TimeSource | None = None


class Labels(_Part):
    """Labels: a column of the transactions, or a `file` of their own beside them.

    Each label is an event with the time it became known: a column (`known_at`), or so many days after the
    transaction (`known_after_days`). A transaction without a label counts as honest.
    """

    is_fraud: ColumnSource
    fraud_value: bool | int | str = 1
    known_at: TimeSource | None = None
    known_after_days: int | None = Field(default=None, ge=0)
    file: str | None = None
    fields: LabelFields | None = None

    @model_validator(mode="after")
    def _complete(self) -> Labels:
        if (self.known_at is None) == (self.known_after_days is None):
            raise ValueError("needs either known_at (a column) or known_after_days (a number), not both")
        if (self.file is None) != (self.fields is None):
            raise ValueError(
                "needs `fields` with `file`, and neither when the labels are in the transactions' file"
            )
        if self.file and self.known_at is None and self.fields and self.fields.timestamp is None:
            raise ValueError("needs fields.timestamp to count known_after_days from")
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """(field, column) in the transactions' file; none where labels have a file of their own."""
        if self.file is None:
            yield "labels.is_fraud", self.is_fraud.column
            if self.known_at is not None:
                yield "labels.known_at", self.known_at.column


class Mapping(_Part):
    name: str
    fields: Fields
    labels: Labels | None = None
    never_use: tuple[str, ...] = ("TX_FRAUD_SCENARIO",)
    """Columns that hold the answer, or what nobody may know at the time: refused wherever they are named.

    Columns that the mapping does not name are ignored.
    """

    @model_validator(mode="after")
    def _no_answer_among_the_fields(self) -> Mapping:
        banned = set(self.never_use)
        if self.labels and self.labels.file is None:
            banned.add(self.labels.is_fraud.column)
        for name, column in self.fields.columns():
            if column in banned:
                raise ValueError(f"fields.{name} uses {column}, which holds the answer: leave it out")
        return self


def identity_mapping(columns: Collection[str]) -> Mapping:
    """For files that have the contract's own names; labels.parquet beside them has those of a label."""
    names = [name for name in RawTransaction.__struct_fields__ if name in columns]
    labels = {
        "file": "labels.parquet",
        "fields": {
            **{name: name for name in ("transaction_id", "customer_id", "merchant_id")},
            "timestamp": {"column": "ts_ms", "unit": "ms"},
        },
        "is_fraud": "is_fraud",
        "known_at": {"column": "known_at_ms", "unit": "ms"},
    }
    return validated(
        Mapping, "identity", {"name": "contract", "fields": {n: n for n in names}, "labels": labels}
    )


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError with one line for each thing that is wrong."""
    return validated(Mapping, str(path), read_yaml(path, EXAMPLE))


def read_yaml(path: Path, example: Path) -> Any:
    """What the file holds; raises MappingError that names the example if it is missing or no YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(f"There is no mapping file {path}. Copy {example} and adapt it.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is not YAML: {error}") from None


M = TypeVar("M", bound=Mapping)


def validated(kind: type[M], origin: str, content: Any) -> M:
    """The content as a mapping of that kind. Raises MappingError with a line for each thing that is wrong."""
    try:
        return kind.model_validate(content)
    except ValidationError as invalid:
        names = _NAMES | set(kind.model_fields)
        lines = {explain(error, names) for error in invalid.errors()}
    raise MappingError("\n  ".join([f"{origin} does not map a source to the contract:", *sorted(lines)]))


_PARTS = (Mapping, Fields, Labels, TextSource, ConstantSource, AmountSource, TimeSource)
_NAMES = frozenset(name for part in _PARTS for name in part.model_fields)
