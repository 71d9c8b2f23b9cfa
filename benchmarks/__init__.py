"""The benches behind `bdp bench`: our path, its floor and its peers, measured side by side in one run.

A bench is one module with a `run` (see `bench.Bench`), entered in `registry.BENCHES`; its floor and peers are
modules beside it. Outside the wheel: benches are run from a checkout.
"""
