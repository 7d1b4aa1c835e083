"""Who calls: the Authorization header comes in, the producer's key goes out, or Unauthenticated or Forbidden."""

import hashlib
import hmac
from collections.abc import Callable, Sequence

from fastapi import Request

from notifier.errors import Forbidden, Unauthenticated
from notifier.setting_types import ApiKey


def requires(scope: str) -> Callable[[Request], ApiKey]:
    """A dependency: the caller's key, which has `scope`. The keys are the app's (`app.state.api_keys`)."""

    def caller(request: Request) -> ApiKey:
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        keys: Sequence[ApiKey] = request.app.state.api_keys
        digest = hashlib.sha256(presented.strip().encode()).hexdigest()
        # Every key is compared, and each in constant time: the answer's time tells nothing of which came near.
        known = [key for key in keys if hmac.compare_digest(key.digest, digest)]
        if scheme.lower() != "bearer" or not known:
            raise Unauthenticated("send an API key that is known here: Authorization: Bearer <key>")
        if scope not in known[0].scopes:
            raise Forbidden(f"this key needs the scope {scope}")
        return known[0]

    return caller
