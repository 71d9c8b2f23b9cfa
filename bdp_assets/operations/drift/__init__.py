"""Drift of live days: the reference that is kept with a model, and its days judged, stored and shown."""
