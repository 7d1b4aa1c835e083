"""Who calls: a request comes in, the producer's key goes out, or Unauthenticated, BadSignature, TooMany, Forbidden."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from fastapi import Request

from notifier.allowance import Allowance, Allowances
from notifier.api import signatures
from notifier.api.body import MOST_BYTES, read_bytes
from notifier.api.edge import ALLOWANCE
from notifier.clock import Clock
from notifier.errors import BadSignature, Forbidden, NoticeForbidden, TooMany, Unauthenticated
from notifier.keyring import Known, digest, id_of, signing_secret
from notifier.setting_types import ApiKey

# What an unknown key is compared with, so that it takes as long as a known one.
_NOBODY = ApiKey("", "0" * 64, frozenset())


class Callers:
    """The keys of the settings and of the store, and what each may still ask."""

    def __init__(self, keys: Sequence[ApiKey], known: Known, allowances: Allowances, clock: Clock) -> None:
        self._keys = keys
        self._known = known
        self._allowances = allowances
        self._clock = clock

    async def admit(self, request: Request, scope: str, most: int) -> ApiKey:
        """The caller's key; a body that is signed has `most` bytes. Counted once, however often a request asks."""
        caller: ApiKey | None = getattr(request.state, "caller", None)
        if caller is None:
            caller = request.state.caller = await self._caller(request, most)
            if not (await self._count(request, caller, 1)).granted:
                raise _over(request)
        if scope not in caller.scopes:
            raise Forbidden(f"this key needs the scope {scope}")
        return caller

    async def count(self, request: Request, events: int) -> Allowance:
        """How many of a batch's events the key may post: the request itself was counted as the first."""
        first: Allowance = getattr(request.state, ALLOWANCE)
        if events > 1:
            more = await self._count(request, request.state.caller, events - 1)
            return replace(more, granted=more.granted + first.granted)
        return first

    async def _count(self, request: Request, caller: ApiKey, wanted: int) -> Allowance:
        allowance = await self._allowances.take(caller, wanted, self._clock())
        setattr(request.state, ALLOWANCE, allowance)
        return allowance

    async def _caller(self, request: Request, most: int) -> ApiKey:
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        presented = presented.strip()
        id, held = id_of(presented), digest(presented)
        kept = (await self._known.find(id) if id else None) or _NOBODY
        # Every key is compared, and each in constant time: the answer's time tells nothing of which came near.
        known = [key for key in (*self._keys, kept) if hmac.compare_digest(key.digest, held)]
        if scheme.lower() != "bearer" or not known:
            raise Unauthenticated("send an API key that is known here: Authorization: Bearer <key>")
        caller = known[0]
        if caller.signing:
            await self._check_signature(request, caller, presented, most)
        return caller

    async def _check_signature(self, request: Request, caller: ApiKey, presented: str, most: int) -> None:
        secret = signing_secret(caller, presented)
        if secret is None:
            raise BadSignature("this key's signing secret cannot be read: ask the operator for another key")
        signed = signatures.signed_part(await read_bytes(request, most), request.method, _target(request))
        signatures.check(request.headers, signed, secret, self._clock())


def requires(scope: str, most: int = MOST_BYTES) -> Callable[[Request], Awaitable[ApiKey]]:
    """A dependency: the caller's key, which has `scope`, on a path that takes bodies of `most` bytes."""

    async def caller(request: Request) -> ApiKey:
        callers: Callers = request.app.state.callers
        return await callers.admit(request, scope, most)

    return caller


async def count(request: Request, events: int) -> Allowance:
    """What the caller of a batch is granted of its events."""
    callers: Callers = request.app.state.callers
    return await callers.count(request, events)


def allow(caller: ApiKey, notice: str) -> None:
    """Raises NoticeForbidden for a notice, known here, that the key is not allowed."""
    if caller.notices is not None and notice not in caller.notices:
        raise NoticeForbidden(f"this key is not allowed the notice {notice}")


def _target(request: Request) -> bytes:
    """Path and query as they were sent."""
    path, query = request.scope["raw_path"].partition(b"?")[0], request.scope["query_string"]
    return b"?".join((path, query)) if query else path


def _over(request: Request) -> TooMany:
    allowance: Allowance = getattr(request.state, ALLOWANCE)
    return TooMany("there were too many requests with this key", allowance.reset)
