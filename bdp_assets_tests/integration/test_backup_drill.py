"""Traffic, backup, more traffic, everything wiped, restore, proof; then traffic and proof again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bdp_assets.clients.kafka import topic_ids, watermarks
from bdp_assets.contracts.topics import RAW
from bdp_assets.operations import start
from bdp_assets.operations.backup import manifest
from bdp_assets.operations.chaos.ground import ground
from bdp_assets.operations.chaos.plan import TARGETS
from bdp_assets.operations.chaos.traffic import Traffic
from bdp_assets.operations.verify.lag import await_drained
from bdp_assets.runtime import platform
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

pytestmark = [pytest.mark.services, pytest.mark.drill, pytest.mark.timeout(900)]
PROGRAMS = [*(target.program for target in TARGETS), "mlflow"]
RATE = 80.0
PLAY_S = 8.0
DRAINED_S = 240.0
MODEL = "kept_through_the_fire"


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """A whole platform with an empty past, Dagster's daemon and MLflow among it."""
    with ground(3, PROGRAMS, time.time_ns() // 1_000_000, platform.quietly) as settings:
        yield settings
    shutil.rmtree(settings.home)


def test_what_was_backed_up_comes_back_and_goes_on(settings: Settings, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    play(settings)
    register_model(settings)
    assert not any(await_drained(settings, DRAINED_S).values())
    play(settings)
    bdp(settings, "backup", str(kept))  # something has landed, and something is on its way
    assert set(PROGRAMS) <= running(settings), "what ran before runs again"
    backed_up = manifest.read(kept).counts
    raw = {name: end for name, end in backed_up["topics"].items() if name.startswith(RAW.name)}
    play(settings)

    refused = bdp(settings, "restore", str(kept), fails=True)
    assert "--wipe" in refused
    bdp(settings, "down", "--wipe")
    assert not settings.home.exists()
    bdp(settings, "restore", str(kept))
    assert not running(settings)

    start.up(settings, PROGRAMS)
    assert registered_models(settings) == [MODEL]
    assert backed_up["lake"]["raw rows"] > 0
    assert raw_ends(settings).keys() == raw.keys(), "the same topic, by its id"
    bdp(settings, "verify", "--wait", f"{DRAINED_S:.0f}")
    play(settings)
    bdp(settings, "verify", "--wait", f"{DRAINED_S:.0f}")
    assert sum(raw_ends(settings).values()) > sum(raw.values())


def play(settings: Settings) -> None:
    """Some transactions by Kafka and the API, with labels; they are on their way when it ends."""
    traffic = Traffic(settings, RATE)
    traffic.start()
    time.sleep(PLAY_S)
    traffic.stop()


def raw_ends(settings: Settings) -> dict[str, int]:
    """As a manifest has them: `topic:topic-id:partition` -> end."""
    [topic_id] = topic_ids(settings, [RAW.name]).values()
    ends = watermarks(settings, [RAW.name], committed=False)
    return {f"{topic}:{topic_id}:{partition}": end for (topic, partition), (_, end) in ends.items()}


def bdp(settings: Settings, *arguments: str, fails: bool = False) -> str:
    """Run the command as a person would; what it said."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
    done = subprocess.run(
        [sys.executable, "-m", "bdp_assets.cli.main", *arguments],
        env={**others, **settings.chosen()},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    print(f"$ bdp {' '.join(arguments)}\n{said}")  # noqa: T201 - pytest shows it with -s, and where it fails
    assert bool(done.returncode) == fails, said
    return said


def running(settings: Settings) -> set[str]:
    return {name for name, state in Supervisor(settings.home).states().items() if state.running}


def register_model(settings: Settings) -> None:
    answer = httpx.post(f"{settings.mlflow}/api/2.0/mlflow/registered-models/create", json={"name": MODEL})
    answer.raise_for_status()


def registered_models(settings: Settings) -> list[str]:
    answer = httpx.get(f"{settings.mlflow}/api/2.0/mlflow/registered-models/search")
    return [model["name"] for model in answer.json()["registered_models"]]
