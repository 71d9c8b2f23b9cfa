"""What a caller chooses among; imports nothing, so that `bdp --help` answers at once."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How the rate goes over the time."""

    STEADY = "steady"
    SPIKE = "spike"
    SOAK = "soak"


class Door(StrEnum):
    """By which door transactions come in."""

    API = "api"
    TOPIC = "topic"
