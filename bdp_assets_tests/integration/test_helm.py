"""The Helm chart by the real helm: linted, rendered, and every object judged.

Single objects by Kubernetes' own types (deploy/helm/check); what must hold between them by `helm_objects`.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from click import Command, Group

from bdp_assets.cli.main import app
from bdp_assets.operations.helm_chart import CHART
from bdp_assets.operations.topics import specs
from bdp_assets.settings import Settings
from bdp_assets_tests.integration import helm_tools
from bdp_assets_tests.integration.helm_objects import faults, pods_of

pytestmark = [pytest.mark.drill, pytest.mark.timeout(helm_tools.BUILD_TIMEOUT_S)]

STRIMZI_OFF = ("--set", "kafka.strimzi.enabled=false", "--set", "kafka.external.bootstrap=k1:9094\\,k2:9094")
LOGIN = (
    *("--set", "kafka.external.username=bdp", "--set", "kafka.external.passwordSecret.name=own-kafka"),
    *("--set", "kafka.external.caSecret.name=own-ca"),
)
WAYS = {
    "default": (),
    "production": ("-f", str(CHART / "values-production.yaml")),
    "own Kafka, open": STRIMZI_OFF,
    "own Kafka, by TLS and login": (*STRIMZI_OFF, *LOGIN),
    "nothing that other operators bring": (
        *STRIMZI_OFF,
        *("--set", "monitoring.enabled=false", "--set", "networkPolicy.enabled=false"),
        *("--set", "api.autoscaling.enabled=false", "--set", "workers.scoring.scaling.enabled=false"),
        *("--set", "workers.labels.enabled=false", "--set", "workers.analytics.scaling.enabled=false"),
    ),
}
OUR_SECRET = {"BDP_POSTGRES_URL", "BDP_REDIS_URL", "BDP_PAN_HASH_KEY"}
SECRETS = {
    "bdp-platform": OUR_SECRET,
    "bdp-api-keys": {"keys.json"},
    "own-kafka": {"password"},
    "own-ca": {"ca.crt"},
}
SAMPLES = {
    "BDP_POSTGRES_URL": "postgresql://bdp:p@postgresql/bdp",
    "BDP_REDIS_URL": "redis://redis:6379/0",
    "BDP_PAN_HASH_KEY": "0" * 64,
    "BDP_KAFKA_PASSWORD": "p",
}
STUB = {
    "values.yaml": "",
    "templates/values.yaml": "seen: {{ toYaml .Values | nindent 2 }}\nkind: DagsterStub\n",
}


class Helm:
    """The chart with a stub for Dagster's, which can not be had here; it shows what it is given."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._chart = folder / CHART.name
        shutil.copytree(CHART, self._chart)
        [dependency] = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
        stub = self._chart / "charts" / "dagster"
        (stub / "templates").mkdir(parents=True)
        (stub / "Chart.yaml").write_text(
            yaml.safe_dump({"apiVersion": "v2", "name": "dagster", "version": dependency["version"]})
        )
        for name, text in STUB.items():
            (stub / name).write_text(text)

    def __call__(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        chosen = ["--kube-version", "1.31.0", *options]
        named = ["bdp"] if command == "template" else ["--strict"]
        line = [str(self._program), command, *named, str(self._chart), *chosen]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    def text(self, *options: str) -> str:
        run = self("template", *options)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def objects(self, *options: str) -> list[dict[str, Any]]:
        return [
            one for one in yaml.safe_load_all(self.text(*options)) if one and one["kind"] != "DagsterStub"
        ]


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(helm_tools.helm(), tmp_path_factory.mktemp("chart"))


@pytest.fixture(scope="module")
def check() -> Callable[[str], subprocess.CompletedProcess[str]]:
    program = helm_tools.object_check()
    return lambda text: subprocess.run([program], input=text, capture_output=True, text=True, check=False)


@pytest.fixture(params=WAYS)
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return WAYS[request.param]


def test_it_passes_lint(helm: Helm, options: tuple[str, ...]) -> None:
    run = helm("lint", *options)
    assert run.returncode == 0, run.stdout + run.stderr


def test_kubernetes_types_take_every_object(
    helm: Helm, check: Callable[[str], subprocess.CompletedProcess[str]], options: tuple[str, ...]
) -> None:
    objects = helm.objects(*options)
    judged = check(yaml.safe_dump_all(objects))
    assert judged.returncode == 0, judged.stdout
    others = {line.split(",")[0] for line in judged.stdout.splitlines() if line.startswith("not judged")}
    assert {one.split()[-1].split("/")[0] for one in others} <= {"kafka.strimzi.io", "keda.sh"}
    assert judged.stdout.count("right") > 5


def test_kubernetes_types_refuse_a_field_they_do_not_have(
    check: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    wrong = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailble: 1}\n"
    )
    judged = check(wrong)
    assert judged.returncode == 1
    assert 'unknown field "spec.maxUnavailble"' in judged.stdout


def test_objects_fit_together(helm: Helm, options: tuple[str, ...]) -> None:
    objects = helm.objects(*options)
    assert faults(objects, SECRETS | made_by_strimzi(objects)) == []


def made_by_strimzi(objects: list[dict[str, Any]]) -> dict[str, set[str]]:
    users = {one["metadata"]["name"]: {"password"} for one in objects if one["kind"] == "KafkaUser"}
    clusters = [one["metadata"]["name"] for one in objects if one["kind"] == "Kafka"]
    return users | {f"{name}-cluster-ca-cert": {"ca.crt"} for name in clusters}


BREAK: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "securityContext": ("Deployment", lambda one: _container(one)["securityContext"].pop("capabilities")),
    "resources": ("StatefulSet", lambda one: _container(one)["resources"].pop("limits")),
    "a probe's port": ("Deployment", lambda one: _container(one)["ports"][0].update(name="web")),
    "no ConfigMap": (
        "Deployment",
        lambda one: _container(one)["envFrom"][0]["configMapRef"].update(name="x"),
    ),
    "no Secret": ("StatefulSet", lambda one: _secret(one).update(key="BDP_OTHER")),
    "no ServiceAccount": ("Deployment", lambda one: _pod(one).update(serviceAccountName="x")),
    "no volume": ("Job", lambda one: _pod(one)["volumes"].pop()),
    "selects nothing": ("PodDisruptionBudget", lambda one: _matches(one).update({"a": "b"})),
    "selects the pods of": ("Deployment", lambda one: _matches(one).clear()),
    "has no port": ("Service", lambda one: one["spec"]["ports"][0].update(targetPort="x")),
    "no pod has port": (
        "NetworkPolicy",
        lambda one: one["spec"].update(ingress=[{"ports": [{"port": "x"}]}]),
    ),
    "finds no service": ("ServiceMonitor", lambda one: one["spec"]["endpoints"][0].update(port="x")),
    "no StatefulSet": ("ScaledObject", lambda one: one["spec"]["scaleTargetRef"].update(name="x")),
    "set twice": ("StatefulSet", lambda one: _container(one)["env"].append(_container(one)["env"][0])),
    "secrets come by reference": ("ConfigMap", lambda one: one.update(kind="Secret")),
    "a hook that leans": ("Job", lambda one: _pod(one).update(serviceAccountName="bdp-platform")),
}


@pytest.mark.parametrize("fault", BREAK)
def test_what_does_not_fit_is_found(helm: Helm, fault: str) -> None:
    objects = copy.deepcopy(helm.objects())
    kind, spoil = BREAK[fault]
    spoil(next(one for one in objects if one["kind"] == kind))
    assert any(fault in found for found in faults(objects, SECRETS | made_by_strimzi(objects)))


def _pod(one: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = one["spec"]["template"]["spec"]
    return pod


def _container(one: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = _pod(one)["containers"][0]
    return container


def _matches(one: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = one["spec"]["selector"]["matchLabels"]
    return labels


def _secret(one: dict[str, Any]) -> dict[str, str]:
    sources = [variable.get("valueFrom", {}).get("secretKeyRef") for variable in _container(one)["env"]]
    found: dict[str, str] = next(source for source in sources if source)
    return found


def test_every_process_can_be_started_as_the_chart_says(
    helm: Helm, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Its variables are settings and are accepted, and its command is one of ours."""
    objects = helm.objects(*options)
    shared = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    started = [
        (pods.name, container, _environment(container, shared))
        for pods in pods_of(objects)
        for container in pods.containers
    ]
    known = {f"BDP_{field.upper()}" for field in Settings.model_fields}
    for name, container, environment in started:
        ours = {variable for variable in environment if variable.startswith("BDP_")}
        assert ours <= known, name
        with monkeypatch.context() as patch:
            patch.delenv("BDP_HOME")
            for variable, value in environment.items():
                patch.setenv(variable, value)
            settings = Settings(_env_file=None)  # type: ignore[call-arg]
        assert settings.model_fields_set >= {variable[4:].lower() for variable in ours}
        _require_command([*container["command"], *container.get("args", ())])
    assert len(started) >= 5


def _environment(container: dict[str, Any], shared: dict[str, dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= shared[source["configMapRef"]["name"]]
    own = [variable for variable in container.get("env", ()) if variable["name"] != "WORKER_SLOT"]
    return found | {each["name"]: each.get("value") or SAMPLES[each["name"]] for each in own}


def _require_command(line: list[str]) -> None:
    if line[:3] == ["python", "-m", "bentoml"]:
        assert line[3:5] == ["serve", "bento.service:FraudService"]
        return
    program, *arguments = [word.replace("$(WORKER_SLOT)", "3") for word in line]
    command: Command = typer.main.get_command(app)
    assert program == "bdp"
    while isinstance(command, Group):
        command = command.commands[arguments.pop(0)]
    command.make_context("bdp", arguments)  # raises where it does not take them; runs nothing


def test_topics_and_their_limits_are_the_contracts(helm: Helm) -> None:
    objects = helm.objects()
    topics = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "KafkaTopic"}
    assert {name: (spec["partitions"], spec["config"]) for name, spec in topics.items()} == {
        spec.name: (spec.partitions, dict(spec.config)) for spec in specs()
    }
    [user] = [one for one in objects if one["kind"] == "KafkaUser"]
    allowed = [acl["resource"] for acl in user["spec"]["authorization"]["acls"]]
    assert {each["name"] for each in allowed if each["type"] == "topic"} == set(topics)


def test_dagster_gets_the_settings_of_the_others(helm: Helm) -> None:
    stubs = yaml.safe_load_all(helm.text(*WAYS["production"]))
    [seen] = [one["seen"] for one in stubs if one and one["kind"] == "DagsterStub"]
    objects = helm.objects(*WAYS["production"])
    [code] = seen["dagster-user-deployments"]["deployments"]
    settings = {one["metadata"]["name"] for one in objects if one["kind"] == "ConfigMap"}
    assert {each["name"] for each in code["envConfigMaps"]} <= settings
    assert {each["name"] for each in code["envSecrets"]} == {"bdp-platform"}
    secrets = SECRETS | made_by_strimzi(objects)
    for variable in code["env"]:
        if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
            assert reference["key"] in secrets[reference["name"]]
    assert not any(one["kind"] == "DagsterStub" for one in yaml.safe_load_all(helm.text()) if one)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--set-string", "config.BDP_REDIS_TIMEOUT=5"], "config.BDP_REDIS_TIMEOUT is no setting"),
        (["--set", "config.BDP_REDIS_URL=redis://:geheim@h"], "config.BDP_REDIS_URL is a secret"),
        (["--set", "config.BDP_HOME=/x"], "config.BDP_HOME is set by the chart"),
        (["--set", "config.lake=x"], "lake"),
        (["--set", "api.replica=3"], "replica"),
        (["--set", "api.replicas=0"], "api.replicas|/api/replicas"),
        (["--set", "api.port=80"], "api.port|/api/port"),
        (["--set", "image.tag=latest"], "image.tag|/image/tag"),
        (["--set", "podSecurity.user=0"], "podSecurity.user|/podSecurity/user"),
        (["--set", "existingSecret="], "existingSecret"),
        (["--set", "model.mlflowUri=http://u:geheim@mlflow"], "mlflowUri"),
        (["--set", "workers.scoring.scaling.max=7"], "workers.scoring.scaling.max: at most 6"),
        (["--set", "workers.labels.scaling.min=4"], "workers.labels.scaling.min: it is more"),
        (["--set", "workers.labels.replicas=7"], "workers.labels.replicas: at most 6"),
        (["--set", "api.autoscaling.min=9"], "api.autoscaling.min: it is more"),
        (["--set", "kafka.strimzi.nodes=2"], "replicationFactor <= nodes"),
        (["--set", "workers.scoring.secrets={BDP_LAKE_URL}"], "BDP_LAKE_URL is no secret"),
        (["--set", "workers.other.enabled=true"], "other"),
        (["--set", "kafka.strimzi.enabled=false"], "kafka.external.bootstrap: needed"),
        (["--set", "kafka.external.username=u"], "passwordSecret"),
        (["--set", "api.resources.limits.memory=much"], "memory"),
        (["--set", "dagster.enabled=true", "--set", "image.tag=0.2.0"], "one release is one image"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_wrong_values_are_refused_with_their_name(helm: Helm, options: list[str], told: str) -> None:
    run = helm("template", *options)
    assert run.returncode != 0
    assert any(each in run.stderr for each in told.split("|")), run.stderr
    assert "geheim" not in run.stderr
