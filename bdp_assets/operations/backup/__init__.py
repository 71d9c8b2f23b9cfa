"""Backup and restore of the local profile: a cold copy of BDP_HOME, proved when it comes back (ADR 37)."""
