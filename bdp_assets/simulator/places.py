"""Where and on what the simulated customers spend: cities and merchant categories."""

from __future__ import annotations

from typing import NamedTuple


class City(NamedTuple):
    name: str
    country: str
    latitude: float
    longitude: float
    currency: str
    utc_offset_h: int
    weight: float
    """Relative number of inhabitants among our customers."""


class Category(NamedTuple):
    name: str
    mean_usd: float
    weight: float
    """Relative number of merchants."""
    online: float
    """Share of these merchants that sell online only."""
    resale: float
    """How much a thief likes the goods: relative odds of a fraudulent purchase."""


CITIES = (
    City("New York", "US", 40.71, -74.01, "USD", -5, 16),
    City("Los Angeles", "US", 34.05, -118.24, "USD", -8, 12),
    City("Chicago", "US", 41.88, -87.63, "USD", -6, 10),
    City("Houston", "US", 29.76, -95.37, "USD", -6, 8),
    City("Phoenix", "US", 33.45, -112.07, "USD", -7, 6),
    City("Philadelphia", "US", 39.95, -75.17, "USD", -5, 6),
    City("Denver", "US", 39.74, -104.99, "USD", -7, 5),
    City("Seattle", "US", 47.61, -122.33, "USD", -8, 5),
    City("Atlanta", "US", 33.75, -84.39, "USD", -5, 5),
    City("Boston", "US", 42.36, -71.06, "USD", -5, 5),
    City("London", "GB", 51.51, -0.13, "GBP", 0, 6),
    City("Manchester", "GB", 53.48, -2.24, "GBP", 0, 2),
    City("Paris", "FR", 48.86, 2.35, "EUR", 1, 4),
    City("Berlin", "DE", 52.52, 13.41, "EUR", 1, 3),
    City("Madrid", "ES", 40.42, -3.70, "EUR", 1, 3),
    City("Tokyo", "JP", 35.68, 139.69, "JPY", 9, 4),
)
ONLINE = len(CITIES)
"""Place number of merchants that have no counter."""

CATEGORIES = (
    Category("grocery", 38, 20, 0.03, 0.2),
    Category("restaurant", 26, 20, 0.0, 0.2),
    Category("fuel", 42, 9, 0.0, 0.4),
    Category("transit", 3, 5, 0.0, 0.0),
    Category("pharmacy", 24, 7, 0.05, 0.2),
    Category("fashion", 70, 10, 0.3, 2.0),
    Category("electronics", 180, 6, 0.4, 5.0),
    Category("jewellery", 300, 2, 0.2, 5.0),
    Category("home", 85, 7, 0.2, 1.0),
    Category("travel", 240, 4, 0.6, 1.5),
    Category("digital", 8, 5, 1.0, 1.0),
    Category("gaming", 5, 2, 1.0, 0.5),
    Category("cash", 110, 3, 0.0, 1.0),
)

PER_USD = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79, "JPY": 150.0}
"""Units of each currency that one dollar buys; rough, only to make plausible amounts."""
