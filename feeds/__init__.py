"""One pinned process per venue: bytes in, trusted books out."""
