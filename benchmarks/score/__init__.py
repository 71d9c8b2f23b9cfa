"""Whole tables of features through the ensemble.

Every side is given the same matrix, float64 [n, n_features] row by row, and answers the calibrated
probability of each row, on as many cores. What it is converted to on the way is part of each side's work.
"""
