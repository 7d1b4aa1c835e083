"""A catalog that somebody wants to look at comes in; it is kept in memory, for a while, for who knows its token.

What is served is never touched by it.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

MOST_BYTES = 1024 * 1024
_MOST_KEPT = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """`content` are the bytes of a `.po` of this locale."""

    locale: str
    content: bytes


class Uploads:
    """The newest, oldest first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def keep(self, upload: Upload) -> str:
        """The token that opens it."""
        token = secrets.token_urlsafe(16)
        self._kept[token] = upload
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return token

    def find(self, token: str) -> Upload | None:
        """None once it is forgotten."""
        return self._kept.get(token)
