"""Ensemble, policy, rules, lists, reasons: the one thing that API, stream and batch asset call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import Decision, ListHit, Prediction, ValidatedTransaction
from bdp_assets.decisions.catalog import RULES
from bdp_assets.decisions.facts import Row
from bdp_assets.decisions.lists import NO_LISTS, Lists
from bdp_assets.decisions.local_policies import LocalPolicies
from bdp_assets.decisions.policy import Policy, decide
from bdp_assets.decisions.policy_columns import APPROVE, decide_all
from bdp_assets.decisions.reasons import feature_reasons
from bdp_assets.decisions.record import Circumstances, Verdict, prediction
from bdp_assets.decisions.rules import Rule, RuleCatalog
from bdp_assets.decisions.ruling import by_lists, raised, severity_of
from bdp_assets.features.catalog import CATALOG
from bdp_assets.observability.traced_batch import step
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle, ModelInfo
from bdp_assets.scoring.ensemble import Ensemble

Doubles = NDArray[np.float64]

_APPROVE = Decision.APPROVE  # Most are: to look it up in its class costs as much as to compare with it.


class Decider:
    """Decides with one model, one policy and one rule catalog: no clock, no state, safe for many threads."""

    def __init__(
        self, ensemble: Ensemble, policy: Policy, paths: ForestPaths, rules: RuleCatalog = RULES
    ) -> None:
        self.ensemble = ensemble
        self.policy = policy
        self.rules = rules
        self._paths = paths
        self._described = CATALOG.describe()

    @classmethod
    def load(cls, directory: Path, rules: RuleCatalog = RULES) -> Decider:
        """Load a bundle folder, with the policy that serves beside it.

        Raises BundleError when one of them can not be used; the message says what to do.
        """
        bundle = Bundle.read(directory)
        policy = LocalPolicies.beside(directory, bundle).serving()
        return cls(Ensemble.of(bundle), policy, ForestPaths.of(bundle), rules)

    @property
    def info(self) -> ModelInfo:
        return self.ensemble.info

    def warm(self) -> None:
        """Score, screen and explain, so that the first call does not pay for what is only made by then."""
        row = np.zeros((1, len(self.info.feature_names)))
        self.ensemble.score(row)
        self._paths.contributions(row)
        list(self.rules.hits([], row[:0]))

    def decide_many(  # noqa: PLR0913
        self,
        transactions: Sequence[ValidatedTransaction],
        features: Doubles,
        apply_seqs: Sequence[int],
        *,
        decided_by: str,
        decided_at_ms: int,
        degraded: bool = False,
        lists: Lists = NO_LISTS,
        named: Callable[[Sequence[float]], dict[str, float]] | None = None,
    ) -> list[Prediction]:
        """Decide transactions, in order; each record is the same alone and in any batch.

        Args:
            features: float64 [n, n_features] in catalog order, one row a transaction.
            apply_seqs: the customers' apply sequences, as the online store gave them.
            decided_by: `api`, `stream` or `batch`.
            decided_at_ms: UTC epoch milliseconds, put on every record.
            degraded: the features were computed without history.
            lists: their entries are in force or not as of `decided_at_ms`.
            named: a vector (float [n_features]) as its record holds it, by default a mapping;
                `features.vectors.named_vector` for records that are made only to be encoded.

        Raises:
            ValueError: lengths differ, or a feature is not finite.
        """
        circumstances = self.circumstances(decided_by, degraded=degraded)
        listed = lists.hits(transactions, [decided_at_ms] * len(transactions))
        verdicts = self.verdicts(transactions, features, listed)
        vectors = map(named or self._by_name, features.tolist())
        return [
            prediction(transaction, apply_seq, vector, verdict, circumstances, decided_at_ms=decided_at_ms)
            for transaction, apply_seq, vector, verdict in zip(
                transactions, apply_seqs, vectors, verdicts, strict=True
            )
        ]

    def _by_name(self, vector: Sequence[float]) -> dict[str, float]:
        return dict(zip(self.info.feature_names, vector, strict=True))

    def circumstances(self, decided_by: str, *, degraded: bool = False) -> Circumstances:
        """What all records say that it decides; arguments as for `decide_many`."""
        return Circumstances(self.info, self.policy.version, self.rules.version, decided_by, degraded)

    def flags(self, features: Doubles, amounts_base_minor: Doubles) -> NDArray[np.bool_]:
        """Which rows model and policy do not approve, rules apart; bool [n]."""
        decided = decide_all(self.policy, self.ensemble.score(features), amounts_base_minor)
        return np.asarray(decided != APPROVE)

    def decide_again(self, record: Prediction) -> Verdict:
        """What this model, policy and catalog make of a decision record, from the record alone.

        Raises KeyError when it was made with other features.
        """
        row = np.array([[record.features[name] for name in self.info.feature_names]])
        return self.verdicts([record], row, [record.list_hits])[0]

    def verdicts(
        self,
        records: Sequence[ValidatedTransaction | Prediction],
        features: Doubles,
        listed: Sequence[Sequence[ListHit]] = (),
    ) -> list[Verdict]:
        """Verdict of each row; features are attributed only where somebody will ask why.

        `listed`: the entries of lists in force for each row; empty: for none.
        """
        with step("model"):
            probabilities = self.ensemble.score(features).tolist()
        verdicts = [
            self._by_policy(probability, record.amount_base_minor)
            for probability, record in zip(probabilities, records, strict=True)
        ]
        for row, facts, hits in self.rules.hits(records, features):
            verdicts[row] = _by_rules(verdicts[row], facts, hits)
        for row, entries in enumerate(listed):
            if entries:
                verdicts[row] = by_lists(verdicts[row], records[row].amount_base_minor, entries)
        asked = [i for i, verdict in enumerate(verdicts) if verdict.decision is not _APPROVE]
        if asked:
            contributions = self._paths.contributions(features[asked])
            for i, shares in zip(asked, contributions, strict=True):
                verdicts[i].reasons.extend(feature_reasons(shares, features[i], self._described))
        return verdicts

    def _by_policy(self, probability: float, amount_base_minor: int) -> Verdict:
        decision, reasons = decide(self.policy, probability, amount_base_minor)
        severity = None if decision is _APPROVE else severity_of(decision, amount_base_minor)
        return Verdict(probability, decision, reasons, severity)


def _by_rules(own: Verdict, facts: Row, hits: Sequence[Rule]) -> Verdict:
    """The policy's verdict after the rules that hit; whoever decided gives its reasons first."""
    decision = raised(own.decision, hits)
    told = [rule.reason(facts) for rule in hits]
    reasons = [*own.reasons, *told] if decision is own.decision else [*told, *own.reasons]
    severity = severity_of(decision, facts.record.amount_base_minor, hits)
    return Verdict(own.probability, decision, reasons, severity)
