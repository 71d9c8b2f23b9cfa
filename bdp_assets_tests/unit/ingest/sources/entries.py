"""Entries for tests, written as their users write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bdp_assets.ingest.sources.entry import Source, load
from bdp_assets.settings import Settings

SHOP: dict[str, Any] = {
    "name": "shop",
    "location": "shop.csv",
    "time_zone": "Europe/Paris",
    "currency": "EUR",
    "defaults": {"channel": "pos"},
    "fields": {
        "transaction_id": {"column": "receipt", "prefix": "R"},
        "customer_id": "client",
        "amount": {"column": "cents", "unit": "minor"},
        "timestamp": {"column": "paid_at", "format": "%d/%m/%Y %H:%M:%S"},
        "country": {"column": "country", "values": {"France": "FR"}},
    },
}
COLUMNS = ("receipt", "client", "cents", "paid_at", "country")
HEADER = ",".join(COLUMNS) + "\n"
TABLE: dict[str, Any] = {
    "format": "postgresql",
    "dsn_variable": "SHOP_URL",
    "table": "public.payments",
    "cursor": "id",
}

TOPIC: dict[str, Any] = {
    "location": None,
    "format": "kafka",
    "bootstrap_variable": "TERMINALS_KAFKA",
    "topic": "terminals",
}


def row(receipt: int, cents: str = "1250") -> str:
    """A line of the shop's file."""
    return f"{receipt},c{receipt % 7},{cents},15/01/2024 10:30:00,France\n"


def settings_of(home: Path) -> Settings:
    return Settings(_env_file=None, home=home)  # type: ignore[call-arg]


def entry(home: Path, **changed: Any) -> Source:
    """SHOP, with keys changed (None: left out), as an entry in that BDP_HOME."""
    write(home, **changed)
    return load(settings_of(home), "shop")


def write(home: Path, **changed: Any) -> Path:
    content = {key: value for key, value in {**SHOP, **changed}.items() if value is not None}
    path = home / "sources" / "shop.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path
