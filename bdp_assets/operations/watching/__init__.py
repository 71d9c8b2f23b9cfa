"""`bdp status --watch`: one screen for an operator, each part of it asked by itself."""
