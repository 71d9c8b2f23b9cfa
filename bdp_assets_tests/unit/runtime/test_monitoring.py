"""What Prometheus and Alertmanager are given to read; proven by their own tools where those are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from bdp_assets.operations import start
from bdp_assets.operations.metric_catalog import metrics
from bdp_assets.runtime import monitoring, platform, profile, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.starter import Starter
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

ROOT = Path(__file__).parents[3]
FILES = sorted((monitoring.CONFIGURATION / "rules").glob("*.yml"))
RULES = [
    rule for file in FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = [rule for rule in RULES if "record" in rule]
CASES = sorted((monitoring.CONFIGURATION / "tests").glob("*.yml"))


NOTICING = ("mlflow", "dagster-code", *monitoring.WORKERS)


def tool(*command: str) -> str:
    """Output of promtool or amtool, which has to say that all is well; in CI both have to be there."""
    if shutil.which(command[0]) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_reads_its_configuration_and_rules(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, monitoring=True, api_replicas=2)
    monitoring.prepare_prometheus(settings, print) if shutil.which("prometheus") else pytest.skip(
        "no prometheus"
    )
    told = tool("promtool", "check", "config", str(monitoring.folder(settings) / "prometheus.yml"))
    assert "WARNING" not in told


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_every_alert_fires_where_it_should_and_is_silent_where_not(file: Path) -> None:
    tool("promtool", "test", "rules", str(file))


def test_every_alert_has_a_case_that_fires_and_one_that_is_silent() -> None:
    cases = [
        one
        for file in CASES
        for test in yaml.safe_load(file.read_text())["tests"]
        for one in test["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in ALERTS}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names
    fired = {alert["exp_labels"].get("slo") for case in cases for alert in case["exp_alerts"]}
    assert fired > {rule["labels"]["slo"] for rule in RECORDED if "labels" in rule}, (
        "each objective burns once"
    )


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_has_severity_team_and_a_section_of_the_runbook(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["labels"]["team"] in ("platform", "data", "fraud", "{{ $labels.team }}")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}


def test_rules_name_metrics_that_there_are() -> None:
    known = {metric.name for metric in metrics()}
    asked = {name for rule in RULES for name in re.findall(r"bdp_\w+", rule["expr"])}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} <= known


@pytest.mark.parametrize("team", ["platform", "data", "fraud"])
@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_alertmanager_routes_by_severity_and_team(team: str, severity: str) -> None:
    file = str(monitoring.CONFIGURATION / "alertmanager.yml")
    labels = (f"team={team}", f"severity={severity}")
    assert (
        tool("amtool", "config", "routes", "test", "--config.file", file, *labels).strip()
        == f"{team}-{severity}"
    )


def test_every_receiver_gets_the_webhook(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, alert_webhook=SecretStr("http://alerts.example/hook"))
    file = tmp_path / "alertmanager.yml"
    file.write_text(monitoring.routing(settings))
    receivers = yaml.safe_load(file.read_text())["receivers"]
    assert [hook["url"] for one in receivers for hook in one["webhook_configs"]] == [
        "http://alerts.example/hook"
    ] * 6
    tool("amtool", "check-config", str(file))


def programs(settings: Settings) -> dict[str, object]:
    """Program -> its targets."""
    jobs = monitoring.targets(settings).values()
    return {target["labels"]["program"]: target["targets"] for job in jobs for target in job}  # type: ignore[index]


def test_targets_are_the_ports_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, monitoring=True, api_replicas=2, api_replica_port=6000, prometheus_port=6100
    )
    without_model = programs(settings)
    manifest = tmp_path / "models" / "champion" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    found = programs(settings)
    assert found == {
        "api-1": ["127.0.0.1:6000"],
        "api-2": ["127.0.0.1:6001"],
        "scoring": ["127.0.0.1:9500"],
        "labels": ["127.0.0.1:9600"],
        "analytics": ["127.0.0.1:9700"],
        "exporter": ["127.0.0.1:9400"],
        "prometheus": ["127.0.0.1:6100"],
        "alertmanager": ["127.0.0.1:9093"],
    }
    assert without_model.keys() == found.keys() - {"api-1", "api-2", "scoring"}, "what waits is not down"


def test_without_the_programs_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(Problem, match="prometheus is not installed") as told:
        start.with_monitoring(settings, wanted=True)
    assert "apt-get install --no-install-recommends prometheus prometheus-alertmanager" in told.value.do
    assert not settings.home.exists(), "nothing was remembered"


def test_the_home_remembers_that_it_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "required", lambda: ("", ""))
    settings = Settings(home=tmp_path / "home")
    assert settings.worker_metrics_port == 0
    watched = start.with_monitoring(settings, wanted=True)
    assert (watched.monitoring, watched.worker_metrics_port) == (True, 9500)
    assert profile.read(settings.home)["BDP_MONITORING"] == "true"
    assert not start.with_monitoring(watched, wanted=False).monitoring
    assert profile.read(settings.home)["BDP_MONITORING"] == "false"


def test_only_workers_start_anew_to_be_watched(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    watched = settings.model_copy(update={"monitoring": True, "alert_webhook": SecretStr("http://a.example")})

    def described(of: Settings) -> dict[str, str]:
        starter = Starter(of, Supervisor(tmp_path), platform.quietly)
        return {one.name: starter._description(one) for one in services.PROGRAMS if one.name in NOTICING}

    before, after = described(settings), described(watched)
    assert {name for name in before if before[name] != after[name]} == set(monitoring.WORKERS)
    assert "a.example" not in str(after)


def test_it_is_not_started_by_name_where_it_is_off(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no prometheus: monitoring is off"):
        platform.up(Settings(home=tmp_path), ["prometheus"])
