"""Every setting of the platform; the only module that reads the environment.

A value comes from, first match wins: an environment variable `BDP_<NAME>`, the file `.env` in the working
directory, the file `profile.env` in `BDP_HOME` (see `runtime/profile.py`), the default here.
A URL that is not set means the embedded service of the local profile (see `bdp_assets/runtime`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = "127.0.0.1"
PROFILE = "profile.env"
MOST_REPLICAS = 8
MONITORED_WORKERS = 9500
_URLS = ("kafka_bootstrap", "postgres_url", "redis_url", "mlflow_uri")


class Settings(BaseSettings):
    """All settings. Ports are TCP on loopback; durations say their unit in the name."""

    model_config = SettingsConfigDict(
        env_prefix="BDP_",
        env_file=".env",
        env_ignore_empty=True,  # `BDP_X=` means not set, as in .env.example
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    home: Path = Field(default=Path(".bdp"), description="State of the local profile: data, logs, models")

    api_port: int = Field(default=5001, description="Prediction API")
    api_replicas: int = Field(
        default=1,
        ge=1,
        le=MOST_REPLICAS,
        description="API processes that `bdp up` starts; from 2 on behind haproxy at the API's port",
    )
    api_replica_port: int = Field(default=5011, description="First replica of the API; the others follow")
    mlflow_port: int = Field(default=5000, description="MLflow tracking server and registry")
    dagster_port: int = Field(default=3001, description="Dagster webserver")
    dagster_code_port: int = Field(default=3002, description="Dagster's code server")
    kafka_port: int = Field(default=9092, description="Embedded Kafka broker")
    kafka_controller_port: int = Field(default=9094, description="Embedded Kafka KRaft controller")
    postgres_port: int = Field(default=15432, description="Embedded PostgreSQL")
    redis_port: int = Field(default=16379, description="Embedded Valkey (Redis protocol)")
    prometheus_port: int = Field(default=9090, description="Prometheus, where monitoring is on")
    alertmanager_port: int = Field(default=9093, description="Alertmanager, where monitoring is on")
    exporter_port: int = Field(default=9400, description="Metrics of what has no /metrics of ours of its own")
    listen: str = Field(
        default=LOOPBACK,
        description="Address at which API, MLflow and Dagster take calls; in a container of its own 0.0.0.0",
    )
    dagster_code_host: str = Field(
        default=LOOPBACK, description="Where Dagster's webserver and daemon find its code server"
    )

    kafka_bootstrap: str | None = Field(default=None, description="host:port[,...] of your own Kafka")
    kafka_username: str | None = Field(
        default=None, description="User of your own Kafka, by SCRAM-SHA-512; needs BDP_KAFKA_PASSWORD"
    )
    kafka_password: SecretStr | None = Field(default=None, description="That user's password")
    kafka_ca_file: Path | None = Field(
        default=None, description="CA certificates (PEM) of your own Kafka; set: TLS, not plain TCP"
    )
    postgres_url: str | None = Field(default=None, description="postgresql://... of your own warehouse")
    redis_url: str | None = Field(
        default=None,
        description="redis[s]://... of your own online store; ?cluster=true: any node of a Redis Cluster",
    )
    mlflow_uri: str | None = Field(default=None, description="http://... of your own MLflow")
    lake_url: str | None = Field(default=None, description="Folder or s3://... of the Delta tables")
    lake_endpoint: str | None = Field(
        default=None,
        pattern="^https?://",
        description="http[s]://... of an S3-compatible store of your own, where s3://... is not Amazon's",
    )
    lake_retention_days: int = Field(
        default=7, ge=1, description="Days that every version of a lake table can still be read"
    )
    lake_snapshot_days: int = Field(
        default=365,
        ge=0,
        description="Days that the versions behind a model are kept; of champion and challenger: always",
    )

    pan_hash_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Secret that keys hashes of card numbers; needed beside any URL of your own",
    )

    api_auth: Literal["required", "open"] | None = Field(
        default=None,
        description="Whether calls of the API need a key; default: not on loopback without a URL of your own",
    )
    api_keys_file: Path | None = Field(
        default=None, description="API keys (hashes), as a mounted secret; default: keys.json in BDP_HOME"
    )
    api_key: SecretStr | None = Field(
        default=None, description="Key with which our own commands (demo, simulate, chaos) call the API"
    )
    api_rate_per_s: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Transactions a second of a key without a rate of its own (open API: an address); 0: any",
    )

    kafka_heap_mb: int = Field(default=512, ge=256, description="Heap of the embedded broker")
    auto_install: bool = Field(default=True, description="Let set-up install Java and Maven where it may")

    stream_batch_messages: int = Field(default=4000, ge=1, description="Most messages in one micro-batch")
    stream_batch_ms: int = Field(default=20, ge=1, description="Longest wait for a micro-batch to fill")
    stream_metrics_port: int = Field(
        default=0,
        ge=0,
        description="Metrics of stream workers: this + slot (+ 100 labels, + 200 analytics); 0: off, and "
        "9500 where monitoring is on",
    )
    monitoring: bool = Field(
        default=False,
        description="Prometheus, Alertmanager and the exporter beside the platform: `bdp up --monitoring`",
    )
    alert_webhook: SecretStr | None = Field(
        default=None, description="URL that Alertmanager tells of alerts that fire or are over; a secret"
    )
    stream_metrics_by_slot: bool = Field(
        default=True, description="Whether the slot counts in that port; false: each worker has an address"
    )
    analytics_days: int = Field(
        default=120, ge=1, description="Days that window figures and the transactions behind them are kept"
    )
    warehouse_months: int = Field(
        default=25,
        ge=1,
        description="Months that the warehouse keeps transactions, predictions, decisions, findings",
    )
    traces_endpoint: str | None = Field(
        default=None,
        pattern="^https?://[^/@]+(/[^@]*)?$",
        description="http[s]://host:port of a collector that takes spans, as OTLP; not set: no tracing",
    )
    traces_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of traces that is recorded, of those that begin here; callers say it of theirs",
    )
    kill_points: Path | None = Field(
        default=None, description="For `bdp chaos` and tests: folder in which workers find where to die"
    )
    spool_mb: int = Field(
        default=1024, ge=16, description="Most MB that an API process keeps on disk while Kafka is away"
    )
    spool_fsync: bool = Field(
        default=False, description="Let the API's spool survive a power cut, too (slower)"
    )
    champion_poll_ms: int = Field(
        default=2000,
        ge=10,
        description="How often API and scoring workers look for another champion or policy",
    )
    redis_timeout_ms: int = Field(default=250, ge=1, description="Time-out of one online store call")
    raw_partitions_start: date = Field(default=date(2026, 1, 1), description="First daily partition (UTC)")
    partitions_end: date | None = Field(default=None, description="Last daily partition, for replayed data")
    history_file: Path | None = Field(default=None, description="File with the history to backfill")
    history_mapping: Path | None = Field(default=None, description="Mapping of that file to the contract")
    sources_dir: Path | None = Field(
        default=None, description="Folder with the sources' entries; default: sources in BDP_HOME"
    )
    history_source: str | None = Field(default=None, description="Source that is the history, not a file")
    history_until: date | None = Field(
        default=None, description="Last day (UTC) of that file that is history"
    )
    label_delay_days: int = Field(default=7, ge=0, description="Days after which most labels are known")
    decay_bound: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Share of its registered average precision that a model may lose before it is retrained",
    )
    feature_bucket_rows: int = Field(
        default=1_000_000, ge=1, description="Rows that `bdp features build` has in memory at a time"
    )
    ray_address: str | None = Field(
        default=None, description="Address of your own Ray cluster, which sees the output's folder"
    )
    run_failure_webhook: SecretStr | None = Field(
        default=None, description="URL that is told of each run that failed (JSON with a `text`); a secret"
    )
    model_name: str = Field(default="fraud_ensemble", description="Name of the registered model")

    @property
    def kafka(self) -> str:
        return self.kafka_bootstrap or f"{LOOPBACK}:{self.kafka_port}"

    @property
    def redis(self) -> str:
        return self.redis_url or f"redis://{LOOPBACK}:{self.redis_port}/0"

    @property
    def mlflow(self) -> str:
        return self.mlflow_uri or f"http://{LOOPBACK}:{self.mlflow_port}"

    @property
    def lake(self) -> str:
        return self.lake_url or str(self.home / "lake")

    @property
    def lake_options(self) -> dict[str, str]:
        """How an object store is reached, in its driver's terms; keys come from its AWS_* variables alone."""
        if not self.lake.startswith("s3://"):
            return {}
        endpoint = {"aws_endpoint_url": self.lake_endpoint} if self.lake_endpoint else {}
        plain = {"aws_allow_http": "true"} if (self.lake_endpoint or "").startswith("http://") else {}
        return {**endpoint, **plain, "retry_timeout": "15s"}

    @property
    def has_own_history(self) -> bool:
        """Whether the history is the user's, not the simulator's."""
        return self.history_file is not None or self.history_source is not None

    @property
    def models_dir(self) -> Path:
        """Model bundles on this machine, one folder a version; `champion` links to the one that serves."""
        return self.home / "models"

    @property
    def metrics_dir(self) -> Path:
        """Metrics of work that ends, as files for node exporter's textfile collector."""
        return self.home / "metrics"

    @property
    def worker_metrics_port(self) -> int:
        """Where the metrics ports of stream workers begin; 0: they serve none."""
        return self.stream_metrics_port or (MONITORED_WORKERS if self.monitoring else 0)

    @property
    def spool_dir(self) -> Path:
        """What API processes received and answered, until Kafka has it; a folder for each."""
        return self.home / "spool"

    @property
    def api_replica_ports(self) -> list[int]:
        """Of the replicas, in their order, where there is more than one."""
        return [self.api_replica_port + i for i in range(self.api_replicas)]

    @property
    def keys_file(self) -> Path:
        """The API's keys: their hashes, scopes and limits."""
        return self.api_keys_file or self.home / "keys.json"

    @property
    def lists_file(self) -> Path:
        """A copy of the published allow and block lists, for a start while the online store is away."""
        return self.home / "lists.json"

    @property
    def traced_share(self) -> float:
        """Share of the traces that begin here that is recorded; 0 where nobody takes spans."""
        return self.traces_ratio if self.traces_endpoint else 0.0

    @property
    def tombstones_file(self) -> Path:
        """A copy of the published tombstones of erased customers, likewise."""
        return self.home / "tombstones.json"

    @property
    def api_headers(self) -> dict[str, str]:
        """What our own commands show the API as their key, where they have one."""
        return {} if self.api_key is None else {"X-API-Key": self.api_key.get_secret_value()}

    def postgres(self, database: str = "bdp") -> str:
        """SQLAlchemy-style URL (`postgresql://user:password@host:port/database`) of one of our databases.

        The embedded server has the databases bdp, dagster and mlflow; its password is made at first start.
        """
        if self.postgres_url:
            base, _, query = self.postgres_url.partition("?")
            root = base.rsplit("/", 1)[0]
            return f"{root}/{database}" + (f"?{query}" if query else "")
        secret = self.secrets_dir / "postgres"
        password = secret.read_text().strip() if secret.exists() else ""
        return f"postgresql://bdp:{password}@{LOOPBACK}:{self.postgres_port}/{database}"

    @property
    def secrets_dir(self) -> Path:
        return self.home / "secrets"

    @property
    def own_systems(self) -> list[str]:
        """Variables that name a system of the user's own; none: everything is in BDP_HOME on this machine."""
        named = [f"BDP_{name.upper()}" for name in _URLS if getattr(self, name)]
        return [*named, *(["BDP_LAKE_URL"] if "://" in self.lake else [])]

    def chosen(self) -> dict[str, str]:
        """Every setting that is not left to its default, as variables for a process of ours.

        Secrets are in the clear: keep it from logs and from files that others can read.
        """
        values = self.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        for name in values:
            if isinstance(secret := getattr(self, name), SecretStr):
                values[name] = secret.get_secret_value()
        return {f"BDP_{name.upper()}": str(value) for name, value in values.items()}


class InvalidSettings(ValueError):  # noqa: N818 - read as what it is
    """Names each variable whose value can not be used and says why, without the value."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the settings once per process; paths come back absolute. Raises InvalidSettings."""
    try:
        home = Settings().home.expanduser().absolute()
        files = (".env", str(home / PROFILE))
        # Later files win in pydantic-settings, and ours must lose against the user's own .env.
        return Settings(_env_file=files[::-1], home=home)  # type: ignore[call-arg]
    except ValidationError as error:
        wrong = [f"BDP_{str(fault['loc'][0]).upper()}: {fault['msg']}." for fault in error.errors()]
        raise InvalidSettings("\n".join(wrong)) from None


def child_environment(settings: Settings) -> dict[str, str]:
    """Environment for a process of ours: the caller's own, with BDP_HOME made absolute."""
    return {**os.environ, "BDP_HOME": str(settings.home)}


def is_dagster_dev() -> bool:
    """Whether this process belongs to a `dagster dev` (which says so in a variable of Dagster's)."""
    return bool(os.environ.get("DAGSTER_IS_DEV_CLI"))


def exported() -> dict[str, str]:
    """Variables of ours that are set in the environment itself, not in a file."""
    return {found.name: os.environ[found.name] for found in variables() if found.name in os.environ}


def secret_of(variable: str) -> str | None:
    """What a file of the user's names instead of holding it; from the environment alone."""
    return os.environ.get(variable)


@dataclass(frozen=True)
class Variable:
    """One environment variable of ours."""

    field: str
    name: str
    default: str
    description: str

    def shown(self, settings: Settings) -> str:
        """The value as text; a URL without its password."""
        value = getattr(settings, self.field)
        return "" if value is None else re.sub(r"://([^:/@]+):[^@]+@", r"://\1:***@", str(value))


def variables() -> list[Variable]:
    """Every variable that the platform reads, in the order of the definitions above."""
    return [
        Variable(
            field=field,
            name=f"BDP_{field.upper()}",
            default="" if info.default is None else str(info.default),
            description=info.description or "",
        )
        for field, info in Settings.model_fields.items()
    ]
