"""`bdp bench ingest`: a CSV file on its way to the raw topic."""
