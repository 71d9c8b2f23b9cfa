"""What must hold between rendered objects, and no schema of a single one can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
WORKLOADS = ("Deployment", "StatefulSet", "Job")
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Pods:
    """The pods of one workload."""

    name: str
    spec: Object
    labels: Mapping[str, str]

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        return {
            port["name"]: port["containerPort"] for each in self.containers for port in each.get("ports", ())
        }


def pods_of(objects: list[Object]) -> list[Pods]:
    found = [one for one in objects if one["kind"] in WORKLOADS]
    return [
        Pods(
            one["metadata"]["name"],
            one["spec"]["template"]["spec"],
            one["spec"]["template"]["metadata"]["labels"],
        )
        for one in found
    ]


def faults(objects: list[Object], secrets: Mapping[str, set[str]]) -> list[str]:
    """What does not hold, a line each.

    `secrets`: by name, the keys of those that exist already or that an operator makes.
    """
    pods = pods_of(objects)
    return [
        *_unnamed(objects),
        *_selectors(objects, pods),
        *(fault for each in pods for fault in _containers(each)),
        *_references(objects, pods, secrets),
        *_hooks(objects),
    ]


def _unnamed(objects: list[Object]) -> Iterator[str]:
    for one in objects:
        if not (one.get("apiVersion") and one.get("kind") and one.get("metadata", {}).get("name")):
            yield f"{one}: no apiVersion, kind or name"
    names = Counter((one["kind"], one["metadata"]["name"]) for one in objects)
    yield from (f"{kind} {name} is there {count} times" for (kind, name), count in names.items() if count > 1)


def _selectors(objects: list[Object], pods: list[Pods]) -> Iterator[str]:
    services = [one for one in objects if one["kind"] == "Service"]
    for one in objects:
        kind, name, spec = one["kind"], one["metadata"]["name"], one.get("spec", {})
        match kind:
            case "Deployment" | "StatefulSet":
                chosen = _matching(pods, spec["selector"]["matchLabels"])
                if [each.name for each in chosen] != [name]:
                    yield f"{kind} {name} selects the pods of {[each.name for each in chosen]}"
            case "Service":
                chosen = _matching(pods, spec["selector"])
                wanted = [port["targetPort"] for port in spec["ports"]]
                yield from _ports(f"{kind} {name}", chosen, wanted)
            case "PodDisruptionBudget" | "PodMonitor":
                chosen = _matching(pods, spec["selector"]["matchLabels"])
                wanted = [end["port"] for end in spec.get("podMetricsEndpoints", ())]
                yield from _ports(f"{kind} {name}", chosen, wanted)
            case "NetworkPolicy":
                chosen = _matching(pods, spec["podSelector"]["matchLabels"])
                named = [port["port"] for rule in spec.get("ingress", ()) for port in rule["ports"]]
                offered = {port for each in chosen for port in each.ports}
                yield from (f"{kind} {name}: no pod has port {port}" for port in set(named) - offered)
                if not chosen:
                    yield f"{kind} {name} selects nothing"
            case "ServiceMonitor":
                wanted = {end["port"] for end in spec["endpoints"]}
                labels = spec["selector"]["matchLabels"].items()
                served = [each for each in services if labels <= each["metadata"]["labels"].items()]
                if not served or any(
                    wanted - {port["name"] for port in each["spec"]["ports"]} for each in served
                ):
                    yield f"{kind} {name} finds no service with its ports"


def _matching(pods: list[Pods], labels: Mapping[str, str]) -> list[Pods]:
    return [each for each in pods if labels.items() <= each.labels.items()]


def _ports(who: str, chosen: list[Pods], wanted: list[str]) -> Iterator[str]:
    if not chosen:
        yield f"{who} selects nothing"
    for each in chosen:
        yield from (f"{who}: {each.name} has no port {port}" for port in wanted if port not in each.ports)


def _containers(pods: Pods) -> Iterator[str]:
    volumes = {volume["name"] for volume in pods.spec["volumes"]}
    for one in pods.containers:
        who = f"{pods.name}/{one['name']}"
        if one.get("securityContext") != CONTAINER_SECURITY:
            yield f"{who}: securityContext"
        resources = one.get("resources", {})
        if {"cpu", "memory"} - set(resources.get("requests", ())) or "memory" not in resources.get(
            "limits", ()
        ):
            yield f"{who}: resources"
        probes = [one[name] for name in ("startupProbe", "livenessProbe", "readinessProbe") if name in one]
        if "ports" in one and len(probes) < 3:
            yield f"{who}: probes"
        names = {port["name"] for port in one.get("ports", ())}
        yield from (f"{who}: a probe's port" for probe in probes if probe["httpGet"]["port"] not in names)
        mounts = {mount["name"] for mount in one["volumeMounts"]}
        yield from (f"{who}: no volume {name}" for name in mounts - volumes)
        twice = [name for name, count in Counter(_variables(one)).items() if count > 1]
        yield from (f"{who}: {name} is set twice" for name in twice)
    if pods.spec.get("automountServiceAccountToken") is not False:
        yield f"{pods.name}: has a token of the cluster's"
    if not pods.spec["securityContext"].get("runAsUser"):
        yield f"{pods.name}: runs as whom the image says"


def _variables(container: Object) -> list[str]:
    return [variable["name"] for variable in container.get("env", ())]


def _references(objects: list[Object], pods: list[Pods], secrets: Mapping[str, set[str]]) -> Iterator[str]:
    """Whatever names another object names one that is there."""
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    yield from (f"Secret {name}: secrets come by reference only" for kind, name in there if kind == "Secret")
    for who, kind, name in [*_targets(objects), *_accounts(pods)]:
        if (kind, name) not in there:
            yield f"{who}: no {kind} {name}"
    for who, kind, name, key in _sources(objects):
        if kind == "ConfigMap" and (kind, name) not in there:
            yield f"{who}: no ConfigMap {name}"
        if kind == "Secret" and (name not in secrets or (key and key not in secrets[name])):
            yield f"{who}: no Secret {name} with {key}"


def _targets(objects: list[Object]) -> Iterator[tuple[str, str, str]]:
    """(who, kind, name) of what is scaled, and of the logins by which KEDA asks."""
    for one in objects:
        who, spec = f"{one['kind']} {one['metadata']['name']}", one.get("spec", {})
        if target := spec.get("scaleTargetRef"):
            yield who, target["kind"], target["name"]
        for trigger in spec.get("triggers", ()):
            if login := trigger.get("authenticationRef"):
                yield who, "TriggerAuthentication", login["name"]


def _accounts(pods: list[Pods]) -> Iterator[tuple[str, str, str]]:
    for each in pods:
        if account := each.spec.get("serviceAccountName"):
            yield each.name, "ServiceAccount", account


def _sources(objects: list[Object]) -> Iterator[tuple[str, str, str, str | None]]:
    """(who, kind, name, key) of each ConfigMap and Secret that pods and KEDA's logins read."""
    for each in pods_of(objects):
        for volume in each.spec["volumes"]:
            if "secret" in volume:
                yield each.name, "Secret", volume["secret"]["secretName"], None
        for one in each.containers:
            yield from ((each.name, *source) for source in _of_container(one))
    for one in objects:
        if one["kind"] == "TriggerAuthentication":
            for kind, field in (("ConfigMap", "configMapTargetRef"), ("Secret", "secretTargetRef")):
                for reference in one["spec"].get(field) or ():
                    yield one["metadata"]["name"], kind, reference["name"], reference["key"]


def _of_container(container: Object) -> Iterator[tuple[str, str, str | None]]:
    for source in container.get("envFrom", ()):
        yield "ConfigMap", source["configMapRef"]["name"], None
    for variable in container.get("env", ()):
        if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
            yield "Secret", reference["name"], reference["key"]


def _hooks(objects: list[Object]) -> Iterator[str]:
    """What is there before an install can lean on nothing that the install makes."""
    hooks = [one for one in objects if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    for each in pods_of(hooks):
        leans = [name for _, kind, name, _ in _sources(hooks) if kind == "ConfigMap"]
        if leans or "serviceAccountName" in each.spec:
            yield f"{each.name}: a hook that leans on {leans or each.spec['serviceAccountName']}"
