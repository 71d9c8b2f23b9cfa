"""The stream's chain in Quix Streams, to be measured beside ours by hand; no part of `bdp bench`.

Quix Streams wants an older Kafka driver than ours, so it runs in an environment of its own:

    python -m venv QUIX
    QUIX/bin/pip install quixstreams msgspec numpy polars onnxruntime 'redis[hiredis]' pydantic-settings \
        prometheus-client pyyaml
    .venv/bin/python -m benchmarks.quix.run QUIX/bin/python
"""
