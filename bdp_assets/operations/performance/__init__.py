"""Models judged by matured labels: read from the lake, measured, kept in the warehouse, acted upon."""
