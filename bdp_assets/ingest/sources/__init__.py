"""Sources: where transactions are, how they map to the contract, and reading on where the last run ended."""
