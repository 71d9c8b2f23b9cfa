"""A source: one YAML file that says where transactions are and which of its columns is which field.

It is a mapping (see `ingest.mapping`) with the location in it. docs/sources.md explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from bdp_assets.contracts.topics import TOPICS
from bdp_assets.ingest.file_format import READ, FileFormat, file_format
from bdp_assets.ingest.mapping import (
    ConstantSource,
    Fields,
    Mapping,
    MappingError,
    TextSource,
    TimeSource,
    known_zone,
    read_yaml,
    validated,
)
from bdp_assets.project import FILES
from bdp_assets.settings import Settings

EXAMPLE = FILES / "deploy" / "sources" / "shop.yaml"
ENDING = ".yaml"
TAKEN = ("history_file", "payment_systems")
"""Other assets beside the sources; each source is one."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


class Database(StrEnum):
    postgresql = "postgresql"
    mysql = "mysql"
    """MariaDB too."""


class Broker(StrEnum):
    kafka = "kafka"


class Source(Mapping):
    """One entry. A file has `location`; a table of a database `dsn_variable`, `table` and `cursor`; a topic
    of another Kafka `bootstrap_variable` and `topic`."""

    location: str | None = None
    """A file, or a pattern (`drops/*.csv.gz`); relative to the entry's own folder."""
    format: FileFormat | Database | Broker | None = None
    """Left out: by the file's ending."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    dsn_variable: str | None = None
    """Environment variable that holds the database's URL, password and all."""
    table: str | None = None
    cursor: str | None = None
    """Column that only grows: rows are read in its order, and on from the last one."""
    bootstrap_variable: str | None = None
    """Environment variable that holds another Kafka's addresses, host:port[,...]."""
    topic: str | None = None
    time_zone: Annotated[str, AfterValidator(known_zone)] | None = None
    """Of times that do not say theirs."""
    currency: str | None = None
    """Of rows that do not say theirs."""
    defaults: dict[str, str] = Field(default_factory=dict)
    """Field -> value for rows without one."""
    batch_rows: int = Field(default=10_000, ge=1, le=100_000)
    """Rows that are read, judged and sent together: they arrive all or none."""

    @model_validator(mode="after")
    def _has_a_usable_name(self) -> Source:
        if not _NAME.fullmatch(self.name):
            raise ValueError("name must be 1 to 40 small letters, digits or _, a letter first")
        return self

    @model_validator(mode="after")
    def _has_a_free_name(self) -> Source:
        if self.name in TAKEN:
            raise ValueError(f"name: {self.name} is taken, by the asset sources/{self.name}")
        return self

    @model_validator(mode="after")
    def _says_where(self) -> Source:
        if self.is_topic:
            self._check_topic()
        elif self.is_table:
            self._check_table()
        else:
            self._check_file()
        return self

    @model_validator(mode="after")
    def _defaults_have_fields(self) -> Source:
        for name in self.defaults:
            if name not in _DEFAULTABLE:
                raise ValueError(f"defaults.{name} is no field that may have one{_meant(name, _DEFAULTABLE)}")
        if self.currency and "currency" in self.defaults:
            raise ValueError("currency and defaults.currency say the same: leave one out")
        return self

    @property
    def is_table(self) -> bool:
        return isinstance(self.format, Database) or self.dsn_variable is not None

    @property
    def is_topic(self) -> bool:
        return isinstance(self.format, Broker) or self.topic is not None

    @property
    def where(self) -> str:
        """For people; holds no secret."""
        if self.is_topic:
            return f"topic {self.topic} at ${self.bootstrap_variable}"
        return f"{self.table} at ${self.dsn_variable}" if self.is_table else str(self.location)

    @property
    def kind(self) -> str:
        return str(self.format or (file_format(Path(self.location)) if self.location else ""))

    def to_contract(self) -> Mapping:
        """The mapping alone, with the entry's time zone, currency and defaults in its fields."""
        given = {**self.defaults, **({"currency": self.currency} if self.currency else {})}
        changed: dict[str, Any] = {name: _with_default(self.fields, name, v) for name, v in given.items()}
        changed["timestamp"] = self._zoned(self.fields.timestamp)
        fields = self.fields.model_copy(update=changed)
        return Mapping(name=self.name, fields=fields, labels=self.labels, never_use=self.never_use)

    def _zoned(self, time: TimeSource) -> TimeSource:
        return time.model_copy(update={"time_zone": time.time_zone or self.time_zone})

    def _check_table(self) -> None:
        needed = {"format": self.format, "dsn_variable": self.dsn_variable, "table": self.table}
        absent = [name for name, value in {**needed, "cursor": self.cursor}.items() if not value]
        if absent:
            raise ValueError(f"a table also needs {', '.join(absent)}")
        if not isinstance(self.format, Database):
            raise ValueError(f"format of a table: {', '.join(Database)}")  # noqa: TRY004 - pydantic's way
        if self.location:
            raise ValueError("location is for files: a table has dsn_variable and table")
        if not _VARIABLE.fullmatch(self.dsn_variable or ""):
            raise ValueError(
                "dsn_variable must be the name of an environment variable, such as SHOP_DATABASE_URL; the "
                "URL itself, with its password, does not belong into this file"
            )

    def _check_topic(self) -> None:
        if not isinstance(self.format, Broker) or not self.topic or not self.bootstrap_variable:
            raise ValueError("a topic needs format: kafka, topic and bootstrap_variable")
        if self.location or self.table or self.cursor or self.dsn_variable:
            raise ValueError("location, dsn_variable, table and cursor are not for topics")
        if not _VARIABLE.fullmatch(self.bootstrap_variable):
            raise ValueError("bootstrap_variable must be the name of an environment variable: SHOP_KAFKA")
        if self.topic in TOPICS:
            raise ValueError(f"topic: {self.topic} is a name of ours; read as a source it would feed itself")

    def _check_file(self) -> None:
        if not self.location:
            raise ValueError(
                "needs location (a file), format, dsn_variable, table and cursor (a database), or format, "
                "bootstrap_variable and topic (Kafka)"
            )
        if "://" in self.location:
            raise ValueError("location must be a file of this machine; URLs are not read: fetch it first")
        if self.table or self.cursor:
            raise ValueError("table and cursor are for databases: of files, rows are counted")
        if self.format is None and file_format(Path(self.location)) is None:
            raise ValueError(f"location ends in none of {READ} (.gz, .zst): say its format")


_DEFAULTABLE = sorted(
    name
    for name in Fields.model_fields
    if name not in ("transaction_id", "customer_id", "amount", "timestamp", "latitude", "longitude")
)


def _with_default(fields: Fields, name: str, value: str) -> TextSource | ConstantSource:
    field: TextSource | ConstantSource | None = getattr(fields, name)
    if field is None:
        return ConstantSource(constant=value)
    if isinstance(field, ConstantSource) or field.default is not None:
        return field
    return TextSource(**{**field.model_dump(), "default": value})


def folder(settings: Settings) -> Path:
    """Where the entries are."""
    return settings.sources_dir or settings.home / "sources"


def load(settings: Settings, name: str) -> Source:
    """The entry of that name. Raises MappingError with what to write."""
    path = folder(settings) / f"{name}{ENDING}"
    if not path.exists():
        known = names(settings)
        raise MappingError(
            f"There is no source {path}{_meant(name, known) if known else '.'} "
            f"Copy {EXAMPLE} there and adapt it."
        )
    return load_file(path)


def load_file(path: Path) -> Source:
    """Read an entry; a location in it becomes absolute. Raises MappingError."""
    source = validated(Source, str(path), read_yaml(path, EXAMPLE))
    if source.name != path.stem:
        raise MappingError(f"{path} says name: {source.name}. Name the file and the source alike.")
    if source.location is None:
        return source
    location = str(path.parent.absolute() / Path(source.location).expanduser())
    return source.model_copy(update={"location": location})


def names(settings: Settings) -> list[str]:
    """Of all entries, also those that can not be used."""
    return sorted(path.stem for path in folder(settings).glob(f"*{ENDING}"))


def load_all(settings: Settings) -> Dict[str, Source | MappingError]:
    """Every entry by name, or what is wrong with it."""
    return {name: _loaded(settings, name) for name in names(settings)}


def _loaded(settings: Settings, name: str) -> Source | MappingError:
    try:
        return load(settings, name)
    except MappingError as error:
        return error


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}."
