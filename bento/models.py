"""Bodies that the API answers with; the OpenAPI document is derived from these classes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from bdp_assets.contracts.records import (
    Adjustment,
    AdjustmentType,
    Decision,
    Label,
    ListHit,
    Prediction,
    Reason,
)
from bdp_assets.decisions.decider import Decider
from bento.errors import ApiError

Probability = Annotated[float, Meta(ge=0, le=1)]
DependencyState = Literal["ok", "empty", "down", "missing", "full", "failed"]
Status = Literal["ready", "degraded", "unavailable"]


class Model(Struct, frozen=True):
    """The model that scored."""

    name: str
    version: str


class Answer(Struct, frozen=True, kw_only=True):
    """One decision. The same transaction sent again gets the same decision again, whatever happened since."""

    transaction_id: str
    fraud_probability: Probability
    decision: Decision
    reasons: list[Reason]
    model: Model
    policy_version: str
    rules_version: str | None
    catalog_version: str
    list_hits: list[ListHit]
    """Entries of allow and block lists in force for it; the first one decided."""
    decision_without_lists: Decision | None
    """What model, policy and rules made of it; null where no list had an entry."""
    degraded: bool
    """True: decided without history, because the online store was not usable."""
    request_id: str


class Accepted(Struct, frozen=True, kw_only=True):
    """A label that is on its way to the stream, as it was understood."""

    transaction_id: str
    customer_id: str
    is_fraud: bool
    known_at_ms: int
    """UTC epoch milliseconds; when it came, where the caller did not say."""
    merchant_id: str | None
    ts_ms: int | None
    request_id: str


class AcceptedAdjustment(Struct, frozen=True, kw_only=True):
    """A refund or reversal that is on its way to the lake, as it was understood. It is not scored."""

    adjustment_id: str
    type: AdjustmentType
    customer_id: str
    original_transaction_id: str
    ts_ms: int
    """UTC epoch milliseconds; when it came, where the caller did not say."""
    amount_minor: int | None
    request_id: str


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """Why a request was refused: a stable code, the field's name if there is one, what to do."""

    code: str
    message: str
    request_id: str
    field: str | None = None


class Error(Struct, frozen=True):
    """Body of every answer that is not a success."""

    error: ErrorDetail


class Health(Struct, frozen=True, kw_only=True):
    """`alive`: the process answers. `ready`: it can decide, and write down that it did.

    `degraded` says that a dependency is missing.

    `model` and `policy_version`: what this process decides with now; null while there is no model.
    """

    status: Status
    alive: bool
    ready: bool
    dependencies: dict[str, DependencyState]
    model: Model | None
    policy_version: str | None


class ModelCard(Struct, frozen=True, kw_only=True):
    """The champion as it serves on this machine. `trained_at_ms`: UTC epoch milliseconds."""

    name: str
    version: str
    digest: str
    trained_at_ms: int
    policy_version: str
    rules_version: str
    catalog_version: str
    feature_names: list[str]
    metrics: dict[str, float]
    snapshot_version: str | None
    git_sha: str | None


def answer_of(prediction: Prediction, request_id: str) -> Answer:
    """The part of a decision record that the caller sees."""
    return Answer(
        transaction_id=prediction.transaction_id,
        fraud_probability=prediction.fraud_probability,
        decision=prediction.decision,
        reasons=prediction.reasons,
        model=Model(prediction.model_name, prediction.model_version),
        policy_version=prediction.policy_version,
        rules_version=prediction.rules_version,
        catalog_version=prediction.catalog_version,
        list_hits=prediction.list_hits,
        decision_without_lists=prediction.decision_without_lists,
        degraded=prediction.degraded,
        request_id=request_id,
    )


def accepted_of(label: Label, request_id: str) -> Accepted:
    """What a caller is told of a label."""
    return Accepted(**asdict(label), request_id=request_id)


def accepted_adjustment_of(adjustment: Adjustment, request_id: str) -> AcceptedAdjustment:
    """What a caller is told of an adjustment."""
    return AcceptedAdjustment(**asdict(adjustment), request_id=request_id)


def error_of(refusal: ApiError, request_id: str) -> Error:
    """The one shape of every error body."""
    detail = ErrorDetail(
        code=refusal.code, field=refusal.field, message=refusal.message, request_id=request_id
    )
    return Error(detail)


def card_of(decider: Decider) -> ModelCard:
    """What `/api/v1/model` shows."""
    info = decider.info
    return ModelCard(
        name=info.name,
        version=info.version,
        digest=info.digest,
        trained_at_ms=info.trained_at_ms,
        policy_version=decider.policy.version,
        rules_version=decider.rules.version,
        catalog_version=info.catalog_version,
        feature_names=list(info.feature_names),
        metrics=info.metrics,
        snapshot_version=info.snapshot_version,
        git_sha=info.git_sha,
    )
