"""What API processes of this machine have not sent yet. Nothing is taken out: its owners write there."""

from __future__ import annotations

import re

from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.settings import Settings


def find(settings: Settings, customer: Customer) -> int:
    """Files of the spool that have the id; they go when Kafka has all that is in them."""
    word = re.compile(rb"(?<![A-Za-z0-9._:-])" + re.escape(customer.id.encode()) + rb"(?![A-Za-z0-9._:-])")
    files = settings.spool_dir.glob("*/*.spool") if settings.spool_dir.exists() else ()
    return sum(word.search(file.read_bytes()) is not None for file in files)
