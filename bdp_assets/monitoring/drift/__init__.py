"""Drift: the features, scores and labels of a day against the days that the model was made of.

A day is one observation, whatever the number of its rows: how far training days are from each other says how
far a new one may be. docs/drift.md has the method, its bounds, and what it was measured to find and to miss.
"""
