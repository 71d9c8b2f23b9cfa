"""`make demo`: from nothing to a running platform with a past, a model and live traffic, with the proof."""
