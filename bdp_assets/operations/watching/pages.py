"""Numbers of /metrics pages: what counters gained between looks, and percentiles of histograms."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

from bdp_assets.runtime import health, monitoring
from bdp_assets.settings import Settings

Series = tuple[str, frozenset[tuple[str, str]]]
"""Name and labels of a sample."""
Page = Mapping[Series, float]
Pages = Mapping[str, Page]
"""Program -> what it shows; one that does not answer is not there."""


def read(settings: Settings) -> Pages:
    """Of the programs that Prometheus asks where it runs, as far as they answer now."""
    answers = {name: health.get(port, "/metrics") for name, port in monitoring.own_pages(settings).items()}
    return {name: parse(body.decode()) for name, (status, body) in answers.items() if status == 200}


def parse(text: str) -> Page:
    """The samples of ours on a page in Prometheus' text format."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("bdp_")
        for sample in family.samples
    }


def shown(pages: Iterable[Page], name: str, **labels: str) -> list[float]:
    """Values of a metric now."""
    wanted = labels.items()
    return [
        value
        for page in pages
        for (found, has), value in page.items()
        if found == name and wanted <= has and not math.isnan(value)
    ]


def gains(looks: Sequence[Pages], name: str, by: str, **labels: str) -> dict[str, float]:
    """What counters `name` with those labels gained from the first look to the last, by a label's value.

    Of a program that started anew its new count is the gain; one that was not there before has none.
    """
    wanted = labels.items()
    gained: defaultdict[str, float] = defaultdict(float)
    for before, after in pairwise(looks):
        for program in before.keys() & after.keys():
            for series, value in after[program].items():
                if series[0] == name and wanted <= series[1]:
                    earlier = before[program].get(series, 0.0)
                    gained[dict(series[1]).get(by, "")] += value - earlier if value >= earlier else value
    return gained


def percentile(looks: Sequence[Pages], histogram: str, percent: float, **labels: str) -> float | None:
    """What so many percent of a histogram's new observations do not exceed; None: there are none.

    As Prometheus does it: within a bucket evenly, and what is above the last edge counts as that edge.
    """
    gained = gains(looks, f"{histogram}_bucket", "le", **labels)
    buckets = sorted((float(edge), count) for edge, count in gained.items())
    if not buckets or not buckets[-1][1]:
        return None
    rank = percent / 100 * buckets[-1][1]
    low, below = 0.0, 0.0
    for edge, count in buckets:
        if count >= rank:
            return low if math.isinf(edge) else low + (edge - low) * (rank - below) / (count - below)
        low, below = edge, count
    return low
