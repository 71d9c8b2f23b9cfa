from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.runtime import logs, sickness
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.supervisor import ProgramState, Supervisor
from bdp_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "logs").mkdir()
    states = {"kafka": "fatal", "postgres": "running", "redis": "backoff"}
    told = {name: ProgramState(name, state, 0, 0, "exited too quickly") for name, state in states.items()}
    monkeypatch.setattr(Supervisor, "states", lambda _self: told)
    return Settings(home=tmp_path)


def test_a_program_that_was_given_up_is_told_with_the_end_of_its_log(settings: Settings) -> None:
    logs.path(settings.home, "kafka").write_text("".join(f"line {n}\n" for n in range(99)))
    with pytest.raises(Problem, match="kafka is fatal") as told:
        sickness.require_alive(settings, ["postgres", "kafka"])
    assert "line 98" in told.value.what
    assert "line 70" not in told.value.what
    assert "bdp logs kafka" in told.value.do


@pytest.mark.parametrize("names", [["postgres"], ["redis"], ["dagster-daemon"]])
def test_one_that_runs_is_brought_back_or_is_not_known_is_no_problem(
    settings: Settings, names: list[str]
) -> None:
    sickness.require_alive(settings, names)


def test_one_that_was_replaced_is_none_of_ours(settings: Settings) -> None:
    own = settings.model_copy(update={"kafka_bootstrap": "broker:9092"})
    sickness.require_alive(own, ["kafka"])
