"""Quality of the lake: what is looked at, how it is read, and where what was found is kept."""
