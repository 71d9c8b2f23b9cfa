"""Where workers show their metrics."""

from __future__ import annotations

import pytest

from bdp_assets.settings import Settings
from bdp_assets.streaming.worker import ANALYTICS, LABELS, SCORING, Kind, metrics_port


@pytest.mark.parametrize(
    ("chosen", "kind", "slot", "port"),
    [
        ({}, SCORING, 1, None),
        ({"stream_metrics_port": 9400}, SCORING, 0, 9400),
        ({"stream_metrics_port": 9400}, LABELS, 2, 9502),
        ({"stream_metrics_port": 9400, "stream_metrics_by_slot": False}, ANALYTICS, 2, 9600),
    ],
)
def test_each_worker_of_a_machine_has_a_port_and_each_pod_of_a_kind_the_same(
    chosen: dict[str, object], kind: Kind, slot: int, port: int | None
) -> None:
    settings = Settings(_env_file=None, **chosen)  # type: ignore[call-arg, arg-type]
    assert metrics_port(settings, kind, slot) == port
