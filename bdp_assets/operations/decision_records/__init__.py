"""Decision records: found wherever they are kept, and decided again from what they say."""
