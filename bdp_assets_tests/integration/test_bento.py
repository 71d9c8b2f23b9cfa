"""A Bento answers as the checkout does, where there is no checkout: another interpreter, home and folder."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import signal
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients import redis
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning, encode
from bdp_assets.decisions.policy import make_policy
from bdp_assets.defs.serving import assets
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.bento_build import BuiltBento, bentos, build, export
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import free_ports
from bento.calls import Call
from bento.dependencies import Dependencies
from bento.predictor import Predictor
from bento.spool.spool import Spool

pytestmark = pytest.mark.drill

PROJECT = Path(__file__).parents[2]
FOREIGN = ("dagster", "mlflow", "pandas", "polars", "pandera", "scikit", "scipy", "pyarrow", "bdp")
CHECKOUT = ("bento", "bdp_assets")
COMPARED = (
    *("transaction_id", "fraud_probability", "decision", "reasons", "degraded"),
    *("policy_version", "rules_version", "catalog_version"),
)
TRANSACTIONS = [
    {
        "transaction_id": f"transaction-{number}",
        "customer_id": f"customer-{number % 3}",
        "amount": 10 * 3**number,
        "timestamp": f"2026-01-1{number}T0{number}:30:00Z",
        "merchant_id": "merchant-1",
        "merchant_category": "electronics" if number % 2 else "grocery",
        "country": "US",
    }
    for number in range(10)
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A machine with a champion, whose policy was tuned since, and without a store or a broker."""
    home = tmp_path_factory.mktemp("home")
    champion = tiny_bundle(home / "models" / "1", policy=make_policy(0.9, 0.95))
    LocalBundles(home / "models").activate("1")
    bundle, tuned = Bundle.read(champion), make_policy(0.02, 0.4)
    day = date(2026, 2, 1)
    tuning = Tuning(
        model_digest=bundle.info.digest, tuned_at_ms=1, first=day, last=day, transactions=9, frauds=1
    )
    policies = LocalPolicies.beside(champion, bundle)
    policies.put(encode(tuned, tuning), tuned.version)
    policies.use(tuned.version, 1)
    return Settings(_env_file=None, home=home, **free_ports())  # type: ignore[call-arg, arg-type]


@pytest.fixture(scope="module")
def decider(settings: Settings) -> Decider:
    return Decider.load(LocalBundles(settings.models_dir).champion)


@pytest.fixture(scope="module")
def built(settings: Settings) -> BuiltBento:
    return build(settings)


def test_it_says_whom_it_answers_with(settings: Settings, built: BuiltBento, decider: Decider) -> None:
    assert built.tag == f"fraud_service:{decider.info.version}"
    assert built.contents.model_digest == decider.info.digest
    assert built.contents.policy_version == decider.policy.version
    assert bentos(settings) == [built]


def test_the_asset_builds_it_anew_in_its_place(
    settings: Settings, built: BuiltBento, decider: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "get_settings", lambda: settings)
    done = dg.materialize([assets.bento])
    (again,) = bentos(settings)
    assert again.built_at > built.built_at
    (made,) = done.asset_materializations_for_node("serving__bento")
    told = {name: value.value for name, value in made.metadata.items()}
    assert told["tag"] == built.tag
    assert told["model digest"] == decider.info.digest
    assert told["bytes"] == again.size_bytes
    assert told["folder"] == str(again.folder)


def test_the_command_builds_writes_a_file_and_lists(
    settings: Settings, built: BuiltBento, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_HOME", str(settings.home))
    file = tmp_path / "fraud.bento"
    file.write_bytes(b"older")
    get_settings.cache_clear()
    done = CliRunner().invoke(app, ["bento", "build", "--output", str(file)])
    listed = CliRunner().invoke(app, ["bento", "list"]).output
    get_settings.cache_clear()
    assert done.exit_code == 0, done.output
    assert built.tag in done.output
    assert built.contents.policy_version in listed
    with tarfile.open(file) as packed:
        assert any(name.endswith("bento/packed/champion/manifest.json") for name in packed.getnames())


def test_nothing_of_training_is_in_it(built: BuiltBento) -> None:
    sources = sorted((built.folder / "src").rglob("*.py"))
    assert {"bento", "bdp_assets"} == {file.relative_to(built.folder / "src").parts[0] for file in sources}
    for file in sources:
        assert not _imported(file) & {"dagster", "mlflow", "sklearn", "pandas"}, file
    pins = (built.folder / "env" / "python" / "requirements.txt").read_text().splitlines()
    names = {pin.partition("==")[0] for pin in pins}
    assert {"bentoml", "httptools", "hiredis", "numba", "numpy", "onnx", "onnxruntime"} <= names
    assert not {name for name in names if name.startswith(FOREIGN)}


def test_what_it_does_not_bring_is_what_the_service_never_calls(built: BuiltBento) -> None:
    """Imports within functions are not seen while the service loads: a new one must be thought of here."""
    sources = built.folder / "src"
    named = {module for file in sources.rglob("*.py") for module in _modules(file)}
    ours = {module for module in named if module.partition(".")[0] in CHECKOUT}
    there = {module for module in ours if _is_module(sources, module)}
    assert ours - there == {"bdp_assets.features.rebuild"}


def test_no_path_of_the_machine_that_built_it_is_in_it(settings: Settings, built: BuiltBento) -> None:
    here = (str(PROJECT).encode(), str(settings.home).encode(), sys.prefix.encode())
    for file in built.folder.rglob("*"):
        assert not (file.is_file() and any(path in file.read_bytes() for path in here)), file


def test_on_a_machine_without_the_checkout_it_answers_alike(
    settings: Settings, built: BuiltBento, decider: Decider, tmp_path: Path
) -> None:
    exported = tmp_path / "fraud.bento"
    export(settings, built, exported)
    machine = Machine(tmp_path / "machine")
    assert (
        machine.run("-c", f"import importlib.util as u; print(*map(u.find_spec, {CHECKOUT}))") == "None None"
    )
    machine.run("-m", "bentoml", "import", str(exported))
    with machine.serving(built.tag, settings) as api:
        answers = [_predicted(api, transaction) for transaction in TRANSACTIONS]
        card = api.get("/api/v1/model").json()
    for answer, expected in zip(answers, _by_the_checkout(decider, settings, tmp_path), strict=True):
        assert {name: answer[name] for name in expected} == expected
    assert len({answer["fraud_probability"] for answer in answers}) > 1
    assert card["digest"] == decider.info.digest
    assert (machine.user / ".bdp" / "spool").is_dir()
    assert list(machine.folder.iterdir()) == list(tmp_path.rglob("src/.bdp")) == []


class Machine:
    """Another interpreter, with the same distributions but ours; another user; an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.user = folder / "empty", folder / "user"
        for made in (self.folder, self.user):
            made.mkdir(parents=True)
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        self._python = str(venv / "bin" / "python")
        (site,) = venv.glob("lib/python*/site-packages")
        # Folders that a .pth names are not searched for more of them: the editable checkout is not found.
        theirs = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        (site / "theirs.pth").write_text("\n".join(theirs))
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("BDP_", "PYTHON"))}
        own = {
            "HOME": str(self.user),
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        self._environment = keep | own

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._python, *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    @contextmanager
    def serving(self, tag: str, settings: Settings) -> Iterator[httpx.Client]:
        ports = {"BDP_REDIS_PORT": str(settings.redis_port), "BDP_KAFKA_PORT": str(settings.kafka_port)}
        address = ("--host", "127.0.0.1", "--port", str(settings.api_port))
        log = self.folder.with_name("log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self._python, "-m", "bentoml", "serve", tag, *address],
                cwd=self.folder,
                env=self._environment | ports,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30) as client:
                _wait_until_ready(client, process, log)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:  # the test's own time-out ends a start that hangs
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def _predicted(api: httpx.Client, transaction: dict[str, Any]) -> dict[str, Any]:
    response = api.post("/api/v1/predict", params={"dry_run": "true"}, json=transaction)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _by_the_checkout(decider: Decider, settings: Settings, folder: Path) -> list[dict[str, Any]]:
    """What this process' own Predictor says, as a caller reads it."""
    store = OnlineStore(redis.connect(settings))
    nothing_probed: Any = None
    spool = Spool(folder / "spool", 2**20)
    predictor = Predictor(decider, store, spool, Dependencies(store, nothing_probed, spool))
    values = [json.dumps(transaction).encode() for transaction in TRANSACTIONS]
    outcomes = asyncio.run(predictor.predict(values, Call("request", "trace", dry_run=True)))
    spool.close()
    shown: list[dict[str, Any]] = json.loads(msgspec.json.encode(outcomes))
    return [{name: outcome[name] for name in COMPARED} for outcome in shown]


def _imported(file: Path) -> set[str]:
    return {module.partition(".")[0] for module in _modules(file)}


def _modules(file: Path) -> set[str]:
    """Modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def _is_module(root: Path, name: str) -> bool:
    path = root / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()
