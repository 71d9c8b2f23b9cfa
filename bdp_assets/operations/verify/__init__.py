"""`bdp verify`: each module proves one thing; `verification` asks them all."""
