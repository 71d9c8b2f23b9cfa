"""What keys may be good for, and which route needs what: the OpenAPI document derives from this, too."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """What a key's owner may do."""

    PREDICT = "predict"
    LABEL = "label"
    ADMIN = "admin"


NEEDS: Mapping[str, tuple[Scope, ...]] = MappingProxyType(
    {
        "/api/v1/predict": (Scope.PREDICT,),
        "/api/v1/predict/batch": (Scope.PREDICT,),
        "/api/v1/labels": (Scope.LABEL,),
        "/api/v1/labels/batch": (Scope.LABEL,),
        "/api/v1/adjustments": (Scope.PREDICT, Scope.LABEL),
        "/api/v1/decisions/{transaction_id}": (Scope.PREDICT, Scope.ADMIN),
        "/api/v1/model": (Scope.PREDICT, Scope.ADMIN),
    }
)
"""Scopes of which a key needs one, by the route's path. All under `/api/` is here; what is not is open."""
