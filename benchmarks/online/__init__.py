"""The online store: one transaction's update and read, against a bare round trip of the same size."""
