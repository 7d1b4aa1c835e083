"""What `notifier keys` does with the store: rights or a key's name come in, keys to print go out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItem

from notifier.clock import rfc3339, system_clock
from notifier.composition import Parts
from notifier.keyring import Kept, Made
from notifier.notices import NOTICES
from notifier.operating import run
from notifier.setting_types import KEY_RULES, SCOPES, ApiKey, rates

# What a key may unless it is said: all that a producer does, nothing that an operator does.
_ORDINARY = SCOPES - {"admin"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key as an operator asks for it; no notices mean all, no scopes all but `admin`. Times in ms."""

    producer: str
    scopes: list[str]
    notices: list[str]
    limits: list[str]
    life: int | None
    signed: bool


def new(wanted: Wanted) -> Made:
    """Make a key; raises ValueError for rights that there are not, Conflict when the producer has two keys."""
    rights = _rights(wanted)

    async def made(parts: Parts) -> Made:
        return await parts.keyring.add(rights, system_clock(), life=wanted.life, signed=wanted.signed)

    return run(made)


def rotate(name: str, expire_old: int | None) -> Made:
    """A second key with the rights of the one with this id, or of this producer; raises NotFound, Conflict."""

    async def rotated(parts: Parts) -> Made:
        return await parts.keyring.rotate(name, system_clock(), expire_old=expire_old)

    return run(rotated)


def revoke(name: str) -> Kept:
    """The key with this id counts no more; raises NotFound."""

    async def revoked(parts: Parts) -> Kept:
        return await parts.keyring.revoke(name, system_clock())

    return run(revoked)


def listed() -> list[dict[str, Any]]:
    """Every key, those of the settings first; nothing of it opens anything."""

    async def every(parts: Parts) -> list[dict[str, Any]]:
        now = system_clock()
        kept = sorted((await parts.keyring.all()).values(), key=lambda one: (one.key.producer, one.created))
        return [*map(_of_settings, parts.settings.api_keys), *(shown(one, now) for one in kept)]

    return run(every)


def shown(kept: Kept, now: int) -> dict[str, Any]:
    """A key as it may be seen by anybody who runs the service."""
    key = kept.key
    return _shown(key) | {
        "id": key.id,
        "prefix": f"nk_{key.id}",
        "state": "live" if kept.live(now) else "expired",
        "created_at": rfc3339(kept.created),
        "expires_at": None if kept.expires is None else rfc3339(kept.expires),
        "last_used_at": None if kept.used is None else rfc3339(kept.used),
    }


def _rights(wanted: Wanted) -> ApiKey:
    wrong = list(_wrong(wanted))
    if wrong:
        raise ValueError(wrong[0])
    try:
        limits = rates(" ".join(wanted.limits), KEY_RULES)
    except ValueError as error:
        raise ValueError(f"--limit: {error}") from None
    notices = frozenset(wanted.notices) or None
    return ApiKey(wanted.producer, "", frozenset(wanted.scopes) or _ORDINARY, notices=notices, limits=limits)


def _wrong(wanted: Wanted) -> Iterator[str]:
    if not wanted.producer.isprintable() or not 1 <= len(wanted.producer) <= 64 or set(wanted.producer) & set(" :"):
        yield "PRODUCER: must be a word of 1 to 64 characters, without a colon"
    if set(wanted.scopes) - SCOPES:
        yield f"--scope: each must be one of {', '.join(sorted(SCOPES))}"
    if set(wanted.notices) - set(NOTICES):
        yield f"--notice: each must be one of {', '.join(sorted(NOTICES))}"


def _of_settings(key: ApiKey) -> dict[str, Any]:
    unknown = dict.fromkeys(("id", "prefix", "created_at", "expires_at", "last_used_at"))
    return _shown(key) | unknown | {"state": "set"}


def _rate(rule: RateLimitItem) -> str:
    """As it was asked for: `5/10minute`."""
    return f"{rule.amount}/{rule.multiples if rule.multiples > 1 else ''}{rule.GRANULARITY.name}"


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "producer": key.producer,
        "scopes": sorted(key.scopes),
        "notices": None if key.notices is None else sorted(key.notices),
        "limits": {name: _rate(rule) for name, rule in key.limits.items()},
        "signed": bool(key.signing),
    }
