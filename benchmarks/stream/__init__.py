"""The stream: raw -> prediction, exactly once, against a transactional pass-through."""
