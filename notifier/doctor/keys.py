"""Settings come in; what is found of the keys goes out. No key is shown, nor any part of one."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from notifier.config import PREFIX, Settings
from notifier.doctor.findings import Finding, fail, ok, warn

_LISTS = ("link_keys", "code_keys", "payload_keys", "platform_secrets")
# Of 32 random bytes 30 differ; that fewer than 20 do happens in one key of 10^11.
_LEAST_DIFFERENT = 20
_MANY = 4
# What people put in while they try.
_EXAMPLES = {
    hashlib.sha256(word.encode()).hexdigest() for word in ("", "key", "test", "test-key", "secret", "changeme")
}


async def check(settings: Settings) -> list[Finding]:
    """How many there are, and whether one can be guessed or stands twice."""
    lists = {name: getattr(settings, name) for name in _LISTS}
    used = Counter(key for keys in lists.values() for key in set(keys))
    found: list[Finding] = []
    for name, keys in lists.items():
        found += _of_list(PREFIX + name.upper(), keys, used)
    return [*found, *_of_producers(settings)]


def _of_list(name: str, keys: Sequence[bytes], used: Counter[bytes]) -> list[Finding]:
    found = []
    if any(_is_weak(key) for key in keys):
        found.append(fail("keys", f"{name}: one was not made at random", "make one with `notifier keys secret`"))
    if len(set(keys)) < len(keys):
        found.append(warn("keys", f"{name}: one stands twice", "remove its second"))
    if any(used[key] > 1 for key in keys):
        found.append(
            fail("keys", f"{name}: shares a key with another list", "make one for each with `notifier keys secret`")
        )
    if len(keys) >= _MANY:
        found.append(warn("keys", f"{name}: has {len(keys)} keys", "remove those whose longest life is over"))
    return found or [ok("keys", f"{name}: {len(keys)}, the last of which signs or seals")]


def _is_weak(key: bytes) -> bool:
    return len(set(key)) < min(_LEAST_DIFFERENT, len(key) * 5 // 8) or all(32 <= byte < 127 for byte in key)


def _of_producers(settings: Settings) -> list[Finding]:
    guessed = [key.producer for key in settings.api_keys if key.digest in _EXAMPLES]
    return [
        fail("keys", f"the API key of {producer} can be guessed", "make one of 32 random bytes") for producer in guessed
    ]
