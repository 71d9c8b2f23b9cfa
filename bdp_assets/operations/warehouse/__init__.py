"""The warehouse for analysts: dimensions, facts, figures and months, loaded from the lake."""
