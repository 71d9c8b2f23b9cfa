"""Dead letters: their index in the warehouse, what is asked of it, their repair, and sending them again."""
