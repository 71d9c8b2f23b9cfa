"""The table of programs."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from bdp_assets.operations.start import STEPS
from bdp_assets.runtime import platform, services
from bdp_assets.runtime.parts import Part
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.status import Row, rows
from bdp_assets.settings import Settings
from bento import connections, raw_topic

ALL: list[Part] = [*services.PROGRAMS, *STEPS]
PARTS = {part.name: part for part in ALL}


def selected(*names: str) -> list[str]:
    return list(services.selection(PARTS.values(), names))


def test_needs_exist_and_have_an_order() -> None:
    for part in PARTS.values():
        assert set(part.needs) <= PARTS.keys()
    order = TopologicalSorter({name: part.needs for name, part in PARTS.items()}).static_order()
    assert set(order) == PARTS.keys()


def test_ports_and_replacements_are_settings() -> None:
    names = Settings.model_fields.keys()
    for program in services.PROGRAMS:
        assert {*program.ports, program.replaced_by} - {None} <= names


def test_the_api_may_finish_calls_and_empty_its_spool_before_it_is_killed() -> None:
    needed_s = connections.STOP_TIMEOUT_S + connections.STOP_LISTEN_S + raw_topic.CLOSE_S
    for name in ("api", "api-1"):
        [program] = [one for one in services.PROGRAMS if one.name == name]
        assert program.stop_seconds >= needed_s + 5


def test_a_selection_brings_what_it_needs_and_no_more() -> None:
    assert set(selected("mlflow")) == {"mlflow", "postgres"}
    assert selected() == list(PARTS)
    assert {"postgres", "kafka", "topics", "migrations"} <= set(selected("dagster-daemon"))


def test_what_others_need_stops_after_them() -> None:
    assert set(services.dependants("postgres")) == {
        "mlflow",
        "dagster-code",
        "dagster-webserver",
        "dagster-daemon",
        "analytics",
    }
    assert services.dependants("api") == []


def test_by_default_there_is_one_api_process_and_no_replica(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, api_replicas=1)
    names = [program.name for program in services.embedded(settings)]
    assert [name for name in names if name.startswith("api")] == ["api"]
    assert "bento.service:FraudService" in services.find("api").command(settings)


def test_replicas_have_ports_and_folders_of_their_own_and_stop_with_the_api(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, api_replicas=3, api_replica_port=6000)
    replicas = [one for one in services.embedded(settings) if one.part_of == "api"]
    assert [one.name for one in replicas] == ["api-1", "api-2", "api-3"]
    assert [one.listens(settings) for one in replicas] == [{"api_replica_port": 6000 + i} for i in range(3)]
    assert [one.address(settings) for one in replicas] == [f"http://127.0.0.1:{6000 + i}" for i in range(3)]
    assert len({one.environment(settings)["BENTOML_HOME"] for one in replicas}) == 3
    assert services.dependants("api-1") == [], "the others go on"
    assert {one.name for one in replicas} < {one.name for one in services.members("api")}


def test_a_replica_that_is_not_asked_for_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no api-3: BDP_API_REPLICAS is 2"):
        platform.up(Settings(home=tmp_path, api_replicas=2), ["api-3"])


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(Problem, match="no program called 'posgres'") as refused:
        services.find("posgres")
    assert "postgres" in refused.value.do


def test_a_url_of_your_own_takes_a_programs_place(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        kafka_bootstrap="a:9092,b:9092",
        postgres_url="postgresql://me:secret@db.example:5432/bdp?password=secret",
        redis_url="redis://:secret@store.example/0",
    )
    names = {program.name for program in services.embedded(settings)}
    assert names.isdisjoint({"kafka", "postgres", "redis"})
    shown = {row.name: row for row in rows(settings)}
    assert shown["postgres"] == Row("postgres", "yours", address="postgresql://db.example:5432/bdp")
    assert shown["redis"].address == "redis://store.example/0"
    assert shown["kafka"].address == "a:9092,b:9092"
    assert "secret" not in repr(shown)
    assert shown["api"].detail == "no model yet: train one"
