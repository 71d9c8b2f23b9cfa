"""What pip has to install for a Bento, read from a lock."""

from __future__ import annotations

from bdp_assets.operations.bento_folder import requirements
from bdp_assets.project import PROJECT

LOCK = """\
arrays==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via
    #   bdp-platform (pyproject.toml)
    #   Train_Kit
arrays==3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:01
    # via
    #   bdp-platform (pyproject.toml)
    #   train-kit
maths==1.0 \\
    --hash=sha256:02
    # via train-kit
server==1.1.post1 \\
    --hash=sha256:03 \\
    --hash=sha256:04
    # via bdp-platform (pyproject.toml)
sockets==0.1 \\
    --hash=sha256:05
    # via server
train-kit==7 \\
    --hash=sha256:06
    # via bdp-platform (pyproject.toml)
wires==5 \\
    --hash=sha256:07
    # via sockets
"""


def test_what_is_loaded_and_all_that_it_needs_as_pinned() -> None:
    assert requirements(LOCK, {"Server"}) == ["server==1.1.post1", "sockets==0.1", "wires==5"]


def test_pins_of_several_machines_stay_side_by_side() -> None:
    assert requirements(LOCK, {"arrays"}) == [
        "arrays==2.0 ; python_full_version < '3.12'",
        "arrays==3.0 ; python_full_version >= '3.12'",
    ]


def test_what_somebody_else_loads_because_it_is_there_is_not_needed() -> None:
    assert requirements(LOCK, {"maths", "sockets", "not-in-the-lock"}) == []


def test_our_own_lock_is_read() -> None:
    pinned = requirements((PROJECT / "requirements.lock").read_text(), {"bentoml", "numba"})
    names = {pin.partition("==")[0] for pin in pinned}
    assert {"bentoml", "numba", "llvmlite", "numpy", "starlette"} <= names
    assert not names & {"dagster", "mlflow", "pandas", "scipy"}
