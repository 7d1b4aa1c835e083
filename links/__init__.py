"""Signed one-time links: minted, read, shown, consumed once. Knows nothing of what its links are about."""
