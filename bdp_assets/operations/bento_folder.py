"""What is in a Bento: the code that the service loads, what that reads, a model, and what pip has to install.

The code is asked, not listed: a process loads the service as it serves, and says which modules that took.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import msgspec

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies, encode
from bdp_assets.project import FILES, PROJECT
from bdp_assets.scoring.bundle import REGISTRATION, Bundle, registration_in
from bdp_assets.scoring.local_bundles import CHAMPION
from bento.packed import PACKED

SERVICE = "bento.service:FraudService"
DESCRIPTION = "Decides card transactions with model {name} {version} (digest {digest}) and policy {policy}."
_LOCK = FILES / "requirements.lock"
_LOADED = """
import json, sys
import bento.service
from bdp_assets.features import compiled
import bdp_assets.decisions.screen, bdp_assets.scoring.packed, bdp_assets.scoring.paths
import bdp_assets.observability.otlp, bdp_assets.observability.spans  # with a collector alone
compiled.load()  # these loops, too, come with the first call otherwise
tops = {name.partition(".")[0] for name in sys.modules}
ours = [m.__file__ for name, m in sys.modules.items() if name.partition(".")[0] in ("bento", "bdp_assets")]
print(json.dumps({"ours": ours, "all": sorted(tops)}))
"""
OURS = "bdp-platform"
_VIA = re.compile(r"^ +#(?: via)? +(?P<name>[a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker> *;[^\\\n]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Contents:
    """Whom a Bento's answers are by."""

    model_name: str
    model_version: str
    model_digest: str
    policy_version: str
    rules_version: str
    catalog_version: str


class _Loaded(msgspec.Struct):
    ours: list[str]
    """Files."""
    all: list[str]
    """Names of top-level modules."""


def assemble(champion: Path, folder: Path) -> Contents:
    """Fill an empty folder with all that `bentoml build` packs, its bentofile.yaml included.

    Args:
        champion: folder of the bundle; the policy that serves beside it comes along.

    Raises:
        BundleError: the bundle or its policy is damaged, or made for other features than this code computes.
    """
    contents = _pack_model(champion.resolve(), folder / PACKED.relative_to(PROJECT))
    loaded = _loaded()
    _copy(_with_data(Path(file) for file in loaded.ours), folder)
    shutil.copytree(FILES / "schemas", folder / "schemas")
    distributions = packages_distributions()
    installed = {found for module in loaded.all for found in distributions.get(module, ())}
    bentofile = {
        "service": SERVICE,
        "description": DESCRIPTION.format(
            name=contents.model_name,
            version=contents.model_version,
            digest=contents.model_digest,
            policy=contents.policy_version,
        ),
        "labels": vars(contents),
        "python": {"packages": requirements(_LOCK.read_text(), installed), "lock_packages": False},
    }
    (folder / "bentofile.yaml").write_text(json.dumps(bentofile, indent=1))  # JSON is YAML
    return contents


def requirements(lock: str, loaded: Collection[str]) -> list[str]:
    """Lines for pip: our own dependencies that are loaded, and all that they need, as the lock pins them.

    What others load where they find it (Numba: SciPy) is not needed. The lock says below each distribution,
    after `# via`, what needs it; one that has several pins has them for different machines.
    """
    pins, needed_by = _read_lock(lock)
    chosen = {name for name in map(_normal, loaded) if OURS in needed_by.get(name, ())}
    while more := {name for name in pins if name not in chosen and needed_by[name] & chosen}:
        chosen |= more
    return [pin for name in sorted(chosen) for pin in pins[name]]


def _read_lock(lock: str) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Each distribution's pins, and who needs it."""
    pins: defaultdict[str, list[str]] = defaultdict(list)
    needed_by: defaultdict[str, set[str]] = defaultdict(set)
    name = ""
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            name = _normal(pin["name"])
            pins[name].append(f"{name}=={pin['version']}{(pin['marker'] or '').rstrip()}")
        elif needs := _VIA.match(line):
            needed_by[name].add(_normal(needs["name"]))
    return pins, needed_by


def _normal(name: str) -> str:
    """A distribution's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _loaded() -> _Loaded:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=_Loaded)


def _with_data(modules: Iterable[Path]) -> set[Path]:
    """The modules, and what their packages have beside them: scripts of the store, rules, currencies."""
    files = set(modules)
    data = {one for folder in {file.parent for file in files} for one in folder.iterdir() if one.is_file()}
    return files | {one for one in data if one.suffix != ".py"}


def _copy(files: Iterable[Path], folder: Path) -> None:
    for file in files:
        target = folder / file.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def pin(bundle: Path, digest: str) -> None:
    """A registration that is older than digests says it from here on: it is the label's."""
    registration = registration_in(bundle)
    if registration is not None:
        pinned = msgspec.structs.replace(registration, digest=digest)
        (bundle / REGISTRATION).write_bytes(msgspec.json.encode(pinned))


def _pack_model(champion: Path, packed: Path) -> Contents:
    """The bundle, file by file as it is (its digest is of its bytes), with the policy that serves."""
    shutil.copytree(champion, packed / CHAMPION)
    bundle = Bundle.read(packed / CHAMPION)
    pin(packed / CHAMPION, bundle.info.digest)
    policies = LocalPolicies.beside(champion, bundle)
    choice = policies.choice()
    if choice is not None:
        kept, copies = policies.kept(choice.version), LocalPolicies(packed, bundle)
        if kept.tuning is not None:
            copies.put(encode(kept.policy, kept.tuning), choice.version)
        copies.use(choice.version, choice.since_ms)
    decider = Decider.load(packed / CHAMPION)
    info = decider.info
    return Contents(
        model_name=info.name,
        model_version=info.version,
        model_digest=info.digest,
        policy_version=decider.policy.version,
        rules_version=decider.rules.version,
        catalog_version=info.catalog_version,
    )
