"""What a load run is judged by, call by call: the objectives of deploy/monitoring/rules/slo.yml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """At most the share `allowed` (0 to 1) of the calls is bad.

    within_s: a good one has the right answer within so many seconds; None: it is answered, and not by a 5xx.
    """

    name: str
    """As in slo.yml; a test holds shares and bounds together."""
    allowed: float
    within_s: float | None = None

    @property
    def says(self) -> str:
        """In words, for a table."""
        share = f"{100 * (1 - self.allowed):g}%"
        if self.within_s is None:
            return f"{share} answered, and not by a 5xx"
        return f"{share} right within {1_000 * self.within_s:g} ms"


API = (Objective("api_availability", allowed=0.001), Objective("api_latency", allowed=0.01, within_s=0.05))
TOPIC = (Objective("stream_freshness", allowed=0.01, within_s=1.0),)
