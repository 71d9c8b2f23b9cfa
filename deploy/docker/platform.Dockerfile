# Every program of ours, by its command: `bdp run NAME`, `bdp stream KIND`, `bdp migrate`, ...
# Built from the checkout's root: docker build -f deploy/docker/platform.Dockerfile -t bdp-platform:0.1.0 .
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/venv && python -m venv /opt/builder
# Before the code, so that a change of code does not install them anew.
COPY requirements.lock requirements-build.lock ./
# pip compiles as it installs: under a read-only root nobody else could keep the bytecode.
RUN /opt/venv/bin/pip install --require-hashes -r requirements.lock
RUN /opt/builder/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY bdp_assets bdp_assets
COPY bento bento
COPY schemas schemas
COPY deploy deploy
COPY dagster.yaml workspace.yaml ./
RUN /opt/builder/bin/python -m hatchling build -t wheel \
    && /opt/venv/bin/pip install --no-deps --target /opt/bdp dist/*.whl

FROM ${PYTHON}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/bdp bdp \
    && install -d -o bdp -g bdp /var/lib/bdp
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/bdp /opt/bdp
ENV PATH=/opt/bdp/bin:/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/bdp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BDP_HOME=/var/lib/bdp \
    BDP_LISTEN=0.0.0.0
WORKDIR /opt/bdp
USER 10001:10001
# A fresh volume begins as a copy of this folder: a home already, whichever container is first to write in it.
RUN python -c "from pathlib import Path; from bdp_assets.runtime.home import prepare; \
    prepare(Path('/var/lib/bdp'))"
VOLUME /var/lib/bdp
CMD ["bdp", "--help"]
