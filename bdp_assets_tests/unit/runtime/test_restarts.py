from __future__ import annotations

from pathlib import Path

from bdp_assets.runtime import restarts

STARTED = "2026-01-01 00:00:00,000 INFO supervisord started with pid 7\n"
DIED = "2026-01-01 00:00:01,000 WARN exited: kafka (terminated by SIGKILL; not expected)\n"
ENDED = "2026-01-01 00:00:02,000 INFO exited: api-1 (exit status 0; expected)\n"
STOPPED = "2026-01-01 00:00:03,000 WARN stopped: kafka (terminated by SIGTERM)\n"
SPAWNED = "2026-01-01 00:00:04,000 INFO spawned: 'kafka' with pid 8\n"


def test_every_end_that_nobody_asked_for_counts_until_somebody_stops_it() -> None:
    assert restarts.count(STARTED + SPAWNED + DIED + SPAWNED + DIED + ENDED) == {"kafka": 2, "api-1": 1}
    assert restarts.count(STARTED + DIED + STOPPED + SPAWNED) == {}
    assert restarts.count(STARTED + DIED + STOPPED + SPAWNED + DIED) == {"kafka": 1}
    assert restarts.count(DIED + STARTED) == {}, "of a supervisor that is over"


def test_a_home_without_a_supervisor_has_none(tmp_path: Path) -> None:
    assert restarts.read(tmp_path) == {}
