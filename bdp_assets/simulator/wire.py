"""From drafts to the wire shape of `transactions-raw-v1`: ids, names, decimal amounts, RFC 3339 times.

No id holds a run of digits that could be taken for a card number (13 to 19 of them).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.contracts.money import CURRENCIES
from bdp_assets.ingest.encode import RFC3339_UTC, decimal_text
from bdp_assets.simulator.drafts import CHANNELS, ECOMMERCE
from bdp_assets.simulator.places import CATEGORIES, CITIES, PER_USD
from bdp_assets.simulator.population import Floats, Ints, Population

COUNTRY = np.array([c.country for c in CITIES], dtype=object)
CURRENCY = np.array([c.currency for c in CITIES], dtype=object)
CATEGORY = np.array([c.name for c in CATEGORIES], dtype=object)
CHANNEL = np.array(CHANNELS, dtype=object)


def customer_id(number: pl.Expr) -> pl.Expr:
    return pl.format("C{}", number.cast(pl.String).str.zfill(6))


def merchant_id(number: pl.Expr) -> pl.Expr:
    return pl.format("M{}", number.cast(pl.String).str.zfill(5))


def wire(population: Population, drafts: pl.DataFrame) -> pl.DataFrame:
    """Rows of drafts (with a column `transaction_id`) as they travel: text, and floats for the place."""
    shops, people = population.merchants, population.customers
    customer, merchant = drafts["customer"].to_numpy(), drafts["merchant"].to_numpy()
    city, online = drafts["city"].to_numpy(), (drafts["channel"] == ECOMMERCE).to_numpy()
    currency = CURRENCY[np.where(online, people.city[customer], city)]
    at_counter, latitude, longitude = (
        pl.Series(x) for x in (~online, shops.latitude[merchant], shops.longitude[merchant])
    )
    return drafts.select(
        "transaction_id",
        customer_id=customer_id(pl.col("customer")),
        amount=_amounts(drafts["usd"].to_numpy(), currency),
        timestamp=pl.from_epoch("ts_ms", time_unit="ms").dt.strftime(RFC3339_UTC),
        merchant_id=merchant_id(pl.col("merchant")),
        currency=pl.Series(currency, dtype=pl.String),
        merchant_category=pl.Series(CATEGORY[shops.category[merchant]], dtype=pl.String),
        channel=pl.Series(CHANNEL[drafts["channel"].to_numpy()], dtype=pl.String),
        country=pl.Series(COUNTRY[city], dtype=pl.String),
        latitude=pl.when(at_counter).then(latitude.round(4)),
        longitude=pl.when(at_counter).then(longitude.round(4)),
        device_id=pl.when(pl.col("device") >= 0).then(_device_id(pl.col("device"))),
        ip=pl.when(pl.col("channel") == ECOMMERCE).then(_ip(city, drafts["device"].to_numpy())),
    )


def _amounts(usd: Floats, currency: NDArray[np.object_]) -> pl.Series:
    """Decimal text with as many digits as the currency has; at least one minor unit."""
    scale = np.array([10 ** CURRENCIES[code].exponent for code in currency], dtype=np.int64)
    minor = np.rint(usd * [PER_USD[code] for code in currency] * scale).astype(np.int64)
    units = pl.DataFrame({"minor": np.maximum(minor, 1), "scale": scale})
    return units.select(decimal_text(pl.col("minor"), pl.col("scale"))).to_series()


def _device_id(number: pl.Expr) -> pl.Expr:
    return pl.format("D{}", number.cast(pl.String).str.zfill(8))


def _ip(city: Ints, device: Ints) -> pl.Series:
    """A private address: the second number tells the city, the others the device."""
    parts = pl.DataFrame({"b": city, "c": device // 250 % 250, "d": device % 250 + 1})
    return parts.select(pl.format("10.{}.{}.{}", "b", "c", "d")).to_series()
