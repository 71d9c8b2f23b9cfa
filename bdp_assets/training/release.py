"""A trained model's way into service: register, pass the gates, promote."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path

import msgspec

from bdp_assets.clients.model_run import ModelRun
from bdp_assets.clients.registry import CHALLENGER, CHAMPION, POLICY_VERSION, SNAPSHOT, Registry
from bdp_assets.decisions.tuning import costs_of
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.training.card import model_card
from bdp_assets.training.champions import download
from bdp_assets.training.contest import Contender
from bdp_assets.training.from_lake import versions_of
from bdp_assets.training.gate import NOTHING_SERVED, Gate, failed, why_not
from bdp_assets.training.gates import judge
from bdp_assets.training.pipeline import TrainedModel
from bdp_assets.training.policy_release import costs_here
from bdp_assets.training.split import TEST_DAYS, day_of

LOADER = "bdp_assets.training.pyfunc"
OUTPUT = "fraud_probability"
REQUIREMENTS = ("bdp-platform", "numpy", "onnxruntime", "msgspec", "pandas")


@dataclass(frozen=True)
class Release:
    """What became of a trained model; it was promoted if all gates passed.

    Args:
        alias: CHAMPION, CHALLENGER, or None: registered and no more.
        asked: whether it was to serve at all; beside a champion a model of an earlier day is not, nor one
            of a file or of a named snapshot, or one whose test was short.
    """

    version: str
    alias: str | None
    reason: str
    champion_before: str | None
    gates: tuple[Gate, ...]
    asked: bool = True

    @property
    def promoted(self) -> bool:
        return self.alias == CHAMPION

    @property
    def standing(self) -> str:
        return {CHAMPION: "is champion", CHALLENGER: "stays challenger", None: "is kept"}[self.alias]


def release(
    trained: TrainedModel, registry: Registry, bundles: LocalBundles, parity: Gate = NOTHING_SERVED
) -> Release:
    """Register a model as challenger, and make it champion if it passes all gates.

    One that learned up to an earlier day than the champion is registered and no more: the champion may have
    learned from the rows that it would be judged on. One that was tested on fewer days than usual stays
    challenger beside a champion, and so does one of a file or of a snapshot that somebody named: who chooses
    the rows would choose the verdict. A champion that came meanwhile was not judged against, so it is not
    replaced.

    Args:
        parity: the verdict on what was served lately, which is not the model's doing.

    Raises:
        RegistryUnavailable: MLflow does not answer.
    """
    version, before = register(trained, registry), registry.champion()
    if before is not None and _of_lake(trained) and _learned_later(registry, bundles, before, trained):
        why = f"it is as of an earlier day than champion {before}, which may have learned from its test rows"
        return _not_asked(trained, version, before, parity, why, alias=None)
    registry.set_alias(CHALLENGER, version)
    if before is not None and (test := _test_tells_nothing(trained)) is not None:
        told = f"{test} does not tell whether it may replace champion {before}; {_to_be_judged(version)}"
        return _not_asked(trained, version, before, parity, told, alias=CHALLENGER)
    outcome = _judged(trained, version, before, registry, bundles, parity)
    if not outcome.promoted:
        return outcome
    with bundles.alone():
        late = _came_meanwhile(trained, before, registry, bundles)
        if late is not None:
            return replace(outcome, alias=CHALLENGER, reason=f"{late}; {_to_be_judged(version)}")
        registry.promote(version)
    return outcome


def register(trained: TrainedModel, registry: Registry) -> str:
    """Log and register a model; returns its version."""
    info, training = trained.bundle.info, trained.bundle.manifest.training
    tags = {
        "catalog_version": training.catalog_version,
        SNAPSHOT: training.snapshot_version or "none",
        "git_sha": training.git_sha or "none",
        POLICY_VERSION: trained.policy.version,
    }
    with tempfile.TemporaryDirectory() as folder:
        run = ModelRun(
            bundle=trained.save(Path(folder) / "bundle"),
            digest=info.digest,
            loader_module=LOADER,
            requirements=[f"{name}=={installed(name)}" for name in REQUIREMENTS],
            example=trained.input_example,
            output=OUTPUT,
            card=model_card(trained),
            params=_params(trained),
            metrics=trained.metrics,
            plots=trained.plots,
            documents=trained.documents,
            tags=tags,
        )
        return registry.log_and_register(run)


def _came_meanwhile(
    trained: TrainedModel, before: str | None, registry: Registry, bundles: LocalBundles
) -> str | None:
    """What became true while a model was trained and judged, and speaks against its promotion."""
    if registry.champion() != before:
        return "another model became champion while it was judged"
    if before is not None and costs_of(trained.policy) != costs_here(bundles):
        return "the costs that policies are tuned for were changed while it was trained"
    return None


def _test_tells_nothing(trained: TrainedModel) -> str | None:
    """What is wrong with a model's own test, where a champion is to be judged by it."""
    if not _of_lake(trained):
        return "a test on a file's rows"
    if trained.snapshot_is_named:
        return "a test on a named snapshot's rows"
    if trained.split.test_days < TEST_DAYS:
        return f"a test of fewer than {TEST_DAYS} days"
    return None


def _of_lake(trained: TrainedModel) -> bool:
    return versions_of(trained.bundle.info.snapshot_version or "") is not None


def _to_be_judged(version: str) -> str:
    return f"`bdp models promote {version}` judges it on the lake's latest {TEST_DAYS} days with labels"


def _judged(  # noqa: PLR0913, PLR0917 - what a release is made of
    trained: TrainedModel,
    version: str,
    before: str | None,
    registry: Registry,
    bundles: LocalBundles,
    parity: Gate,
) -> Release:
    champion, why = None, "the first model"
    if before is not None:
        try:
            champion = Contender.of(download(registry, bundles, before), trained.test)
            why = f"all gates passed beside champion {before}"
        except BundleError as error:
            why = f"champion {before} can not score today's features: {error}"
    gates = (*judge(trained.test, Contender.of_trained(trained, version), champion), parity)
    if failed(gates):
        return Release(version, CHALLENGER, why_not(gates), before, gates)
    return Release(version, CHAMPION, why, before, gates)


def _learned_later(registry: Registry, bundles: LocalBundles, champion: str, trained: TrainedModel) -> bool:
    """False where the champion can not be read or does not say: then the gates find out."""
    try:
        end_ms = Bundle.read(download(registry, bundles, champion)).info.train_end_ms
    except BundleError:
        return False
    return end_ms is not None and end_ms > trained.split.train_end_ms


def _not_asked(  # noqa: PLR0913 - what a release is made of
    trained: TrainedModel, version: str, champion: str, parity: Gate, why: str, *, alias: str | None
) -> Release:
    gates = (*judge(trained.test, Contender.of_trained(trained, version), None, alone=why), parity)
    return Release(version, alias, why, champion, gates, asked=False)


def _params(trained: TrainedModel) -> dict[str, object]:
    split = trained.split
    return {
        **msgspec.structs.asdict(trained.recipe),
        "seed": trained.seed,
        "train": f"{day_of(split.train_start_ms)}..{day_of(split.train_end_ms)}",
        "test": f"{day_of(split.test_start_ms)}..{day_of(split.test_end_ms)}",
        "cut": str(day_of(trained.cut_ms)),
        "anomaly_weight": trained.bundle.manifest.members[1].weight,
        "features": len(trained.bundle.info.feature_names),
        "policy": trained.policy.says,
    }
