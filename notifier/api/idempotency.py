"""`Idempotency-Key`: a handler comes in; one that does the same request of the same producer only once goes out.

After draft-ietf-httpapi-idempotency-key-header-07. What is kept, for 24 hours, is sealed: the digest of a request with
a code in it would tell the code.
"""

import contextlib
import functools
import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from links.durability import run
from links.store import WHEN_FULL
from notifier import ids
from notifier.api.body import MOST_BYTES, read_bytes
from notifier.errors import InProgress, KeyReused, Malformed
from notifier.sealing import Sealer, Unsealable
from notifier.setting_types import ApiKey

KEEP = timedelta(hours=24)
# No handler takes that long: the process died with it, and it may be done again.
_LONGEST = timedelta(seconds=60)
# Also in a store that is full: a code is checked in it, and a dead letter sent again.
_SET = WHEN_FULL + "return redis.call('SET', KEYS[1], unpack(ARGV))"
# A string of RFC 8941, as the draft has it; or bare, as most clients send it.
_KEY = re.compile(r'"([ -~]{1,255})"|([!#-~]{1,255})')

Handler = Callable[..., Awaitable[dict[str, Any]]]


class Once:
    """Wraps handlers that take `request` and `caller` and give a JSON object. An error is not kept."""

    def __init__(self, redis: Redis, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer

    def __call__(self, handler: Handler, most: int = MOST_BYTES) -> Callable[..., Awaitable[Any]]:
        """The handler; with an `Idempotency-Key` it may raise Malformed, InProgress or KeyReused. Its body has `most`
        bytes at most.
        """

        @functools.wraps(handler)
        async def once(*, request: Request, caller: ApiKey, **given: Any) -> Any:
            key = _key(request)
            if key is None:
                return await handler(request=request, caller=caller, **given)
            record, fingerprint = f"once:{ids.digest(caller.producer, key)}", await _fingerprint(request, most)
            begun = self._seal(record, {"request": fingerprint})
            if not await self._set(record, begun, _LONGEST, "NX"):
                return await self._known(record, fingerprint, request)
            try:
                answer = await handler(request=request, caller=caller, **given)
            except Exception:
                with contextlib.suppress(RedisError, OSError):
                    await self._redis.delete(record)
                raise
            with contextlib.suppress(RedisError, OSError):
                done = self._seal(record, {"request": fingerprint, "answer": answer})
                await self._set(record, done, KEEP)
            return answer

        return once

    async def _known(self, record: str, fingerprint: str, request: Request) -> JSONResponse:
        """What the first request with this key was answered."""
        sealed = await self._redis.get(record)
        try:
            held = json.loads(self._sealer.open(record, sealed)) if sealed else {"request": fingerprint}
        except Unsealable:
            held = {"request": None}
        if held["request"] != fingerprint:
            raise KeyReused("this Idempotency-Key was used for another request within the last 24 hours")
        if "answer" not in held:
            raise InProgress("the first request with this Idempotency-Key is not done yet", retry_after=1)
        return JSONResponse(held["answer"], request.scope["route"].status_code, {"idempotent-replayed": "true"})

    async def _set(self, record: str, sealed: bytes, keep: timedelta, *options: str) -> bool:
        ms = round(keep.total_seconds() * 1000)
        return bool(await run(self._redis, _SET, [record], [sealed, "PX", ms, *options]))

    def _seal(self, record: str, held: dict[str, Any]) -> bytes:
        return self._sealer.seal(record, json.dumps(held).encode())


def derived_id(request: Request, caller: ApiKey) -> str:
    """The same for the same key, else a fresh one: for what must not be made twice even where an answer got lost."""
    key = _key(request)
    return secrets.token_hex(16) if key is None else ids.digest(caller.producer, key)


def _key(request: Request) -> str | None:
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    key = _KEY.fullmatch(value)
    if key is None:
        raise Malformed("Idempotency-Key must be 1 to 255 printable ASCII characters")
    return key[1] or key[2]


async def _fingerprint(request: Request, most: int) -> str:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(asked + await read_bytes(request, most)).hexdigest()
