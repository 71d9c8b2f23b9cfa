"""How well models do once labels are due: which rows count, what is counted, when a model has decayed."""
