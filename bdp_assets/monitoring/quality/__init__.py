"""Quality of the lake's tables: what a check finds, and what is usual for an hour of the week."""
