"""`make fuzz`: a running API under hostile, mutated and generated requests; none may end in a 5xx."""
