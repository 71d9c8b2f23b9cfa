"""Feature vectors as JSON by name: encoded once, for all records that carry them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from msgspec import Raw, Struct, defstruct

from bdp_assets.contracts.codec import encode
from bdp_assets.features.catalog import CATALOG

# A class knows its names' JSON beforehand: half the time of a mapping, which would have to be made, too.
_Named: Callable[..., Struct] = defstruct("_Named", [(name, float) for name in CATALOG.names], gc=False)


def encode_vector(vector: Sequence[float]) -> dict[str, float]:
    """What to put into a record as its `features`: it encodes as the mapping would, and can do nothing else.

    `vector`: in catalog order. For records that are made only to be encoded.
    """
    return cast("dict[str, float]", Raw(encode(_Named(*vector))))


def named_vector(vector: Sequence[float]) -> dict[str, float]:
    """As `encode_vector`, for a vector that a single record carries: it is encoded with that."""
    return cast("dict[str, float]", _Named(*vector))
