"""The peer: a Flask app with scikit-learn, in the original's manner.

It reads a customer's features from a hash in Redis, predicts with the same forest and isolation forest in the
training library, and answers by two thresholds. Flask's own server, a connection and a thread a call.
"""

from __future__ import annotations

import logging
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from redis import Redis

from bdp_assets.features.catalog import CATALOG
from bdp_assets.settings import LOOPBACK, get_settings
from bdp_assets.training.fit import Members

MEMBERS = "peer-members.pickle"
REVIEW, DECLINE = 0.3, 0.7
_FEATURES = "peer:features"


def save(members: Members, folder: Path) -> None:
    """For the peer's process."""
    (folder / MEMBERS).write_bytes(pickle.dumps(members))


def made(members: Members, store: Redis) -> Flask:
    app = Flask(__name__)
    store.hset(_FEATURES, mapping=dict.fromkeys(CATALOG.names, 1.0))

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return jsonify(status="healthy")

    @app.post("/api/v1/predict")
    def predict() -> ResponseReturnValue:
        transaction: Any = request.get_json()
        known: Any = store.hgetall(_FEATURES)
        row = np.array([[float(known[name.encode()]) for name in CATALOG.names]], dtype=np.float32)
        row[0, 0] = float(transaction["amount"])
        probability = float(members.forest.predict_proba(row)[0, 1])
        anomaly = float(members.isolation.score_samples(row)[0])
        decision = "decline" if probability > DECLINE else "review" if probability > REVIEW else "approve"
        return jsonify(
            transaction_id=transaction["transaction_id"],
            fraud_probability=probability,
            anomaly=anomaly,
            decision=decision,
        )

    return app


def main(port: int) -> None:
    settings = get_settings()
    members = pickle.loads((settings.home / MEMBERS).read_bytes())  # noqa: S301 - the bench wrote it
    members.forest.n_jobs = members.isolation.n_jobs = 1  # One row: threads would only cost.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    made(members, Redis.from_url(settings.redis)).run(LOOPBACK, port, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
