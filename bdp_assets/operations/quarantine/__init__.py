"""Rows of the past that the lake refused: what is asked of them, their repair, and their release."""
