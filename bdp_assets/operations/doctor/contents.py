"""What is in the systems: topics, tables, the model. Each looks only where a connection was found."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.clients.kafka import ensure_topics
from bdp_assets.clients.registry import CHALLENGER, CHAMPION, Registry
from bdp_assets.decisions.local_policies import LocalPolicies
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations import migrations, topics
from bdp_assets.operations.doctor.finding import Finding, fail, ok, warn
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.champions import look_at_registered


def contract_topics(settings: Settings) -> Iterator[Finding]:
    """The topics as schemas/topics.yaml declares them."""
    specs = topics.specs()
    differences = ensure_topics(settings, specs, create=False).differences
    if differences:
        do = "`bdp up` makes the missing ones; others need Kafka's own tools, or a new topic version."
        yield fail("topics", "; ".join(differences), do)
    else:
        yield ok("topics", f"{len(specs)} as in schemas/topics.yaml")


def schema(settings: Settings) -> Iterator[Finding]:
    revisions = migrations.revisions(settings)
    if revisions.up_to_date:
        yield ok("migrations", f"at {revisions.current}")
    else:
        what = f"at {revisions.current or 'no revision'}, the code wants {revisions.head}"
        yield fail("migrations", what, "Run `bdp migrate`.")


def champion(settings: Settings) -> Iterator[Finding]:
    version = Registry.of(settings).champion()
    if version is None:
        yield warn(
            "champion", f"{settings.model_name} has no champion", "Run `make demo`, or train in Dagster."
        )
        return
    serves, told = LocalBundles(settings.models_dir).active(), f"{settings.model_name} version {version}"
    if serves in {None, version}:  # What is not here, `bundle` tells.
        yield ok("champion", told)
    else:
        yield warn("champion", f"{told}, but this machine serves {serves}", "Run `bdp models fetch`.")


def copies(settings: Settings) -> Iterator[Finding]:
    """What the registry keeps of champion and challenger: whole, and the latter made for these features.

    This machine may have its own copy, which serves; another one, or a lost disk, needs the registry's.
    """
    registry = Registry.of(settings)
    versions = {alias: registry.alias(alias) for alias in (CHAMPION, CHALLENGER)}
    if versions[CHALLENGER] == versions[CHAMPION]:
        del versions[CHALLENGER]
    for alias, version in versions.items():
        if version is not None:
            yield _copy(registry, f"{alias}'s copy", version)


def _copy(registry: Registry, name: str, version: str) -> Finding:
    try:
        info = look_at_registered(registry, version)
    except BundleError as error:
        return fail(name, str(error), "Restore MLflow's artifacts from a backup, or train anew.")
    made_for = f"the registry's version {version} is whole, made for features {info.catalog_version}"
    if info.catalog_version == CATALOG.version:
        return ok(name, made_for)
    return warn(name, f"{made_for}, the code has {CATALOG.version}: it can not score", "Train a model anew.")


def bundle(settings: Settings) -> Iterator[Finding]:
    """The model on this machine: whole, its policy too, and made for the features that this code computes."""
    place = settings.models_dir / "champion"
    if not place.exists():
        yield warn(
            "model bundle", f"none in {place}", "Materialise serving/model_bundle, or run `make demo`."
        )
        return
    try:
        found = Bundle.read(place)
        policy = LocalPolicies.beside(place, found).serving()
    except BundleError as error:
        yield fail("model bundle", str(error), "Materialise serving/model_bundle again.")
        return
    info = found.info
    made_for = (
        f"version {info.version} is made for features {info.catalog_version}, policy {policy.version} serves"
    )
    if info.catalog_version == CATALOG.version:
        yield ok("model bundle", made_for)
    else:
        yield fail(
            "model bundle", f"{made_for}, the code has {CATALOG.version}", "Train and promote a model anew."
        )
