"""A challenger in the champion's shadow: it scores what was decided live, and nobody waits for it."""
