"""What can be wrong with a link's token.

    BadLink
    └── NotValid      changed, cut, of another purpose, signed with a retired key, or issued in the future

That a valid link is too old, used or replaced is no error but an outcome: see ``ledger.py``.
"""


class BadLink(Exception):
    """Base of all."""


class NotValid(BadLink):
    """Nothing can be said of this token; one page answers every kind alike."""
