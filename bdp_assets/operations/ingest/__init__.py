"""`bdp ingest`: a source's rows on their way to the raw topic, each once, whatever dies."""
