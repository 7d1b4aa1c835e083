"""A client comes in; what is wrong with its store goes out, a sentence for each fault. Read from INFO, since managed
services forbid CONFIG.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from links.durability import Acknowledge, Unconfirmed, confirm

log = structlog.get_logger()

_PATIENCE_S = 2
_OLDEST = 7


async def faults(redis: Redis, acknowledge: Acknowledge) -> list[str]:
    """What keeps the store from holding what it is given. Takes two seconds at most."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            info = await redis.info()
            found = _told(info) or _lasting(info, acknowledge)
            if acknowledge != "memory" and not found:
                found = await _unconfirmed(redis, acknowledge)
    except MasterNotFoundError:
        return ["no Sentinel answers that knows a primary of this name: it is down, or a failover is under way"]
    except AuthenticationError:
        return ["redis refuses this user or password"]
    except NoPermissionError:
        return ["redis permits this user too little: it needs INFO, and WAITAOF with NOTIFIER_ACKNOWLEDGE"]
    except (RedisError, OSError):
        return ["redis does not answer"]
    return found


async def report(redis: Redis, acknowledge: Acknowledge) -> None:
    """The faults into the log, as a process starts; it starts all the same, since they may be mended under it."""
    for fault in await faults(redis, acknowledge):
        log.error("store_not_ready", fault=fault)


def _told(info: Mapping[str, Any]) -> list[str]:
    """Because of which nothing else that it says matters."""
    if info.get("loading"):
        return ["redis is loading its data"]
    if info.get("role") == "slave":
        return ["redis is a read-only replica: NOTIFIER_REDIS_URL must lead to the primary"]
    return []


def _lasting(info: Mapping[str, Any], acknowledge: Acknowledge) -> list[str]:
    """Why what is given may be lost, or not be taken."""
    limit, used = info.get("maxmemory", 0), info["used_memory"] - info.get("mem_not_counted_for_evict", 0)
    replicas = [link for name, link in info.items() if name.startswith("slave") and isinstance(link, dict)]
    wrong = {
        "redis is too old: 7 or newer is needed": int(info["redis_version"].partition(".")[0]) < _OLDEST,
        "redis writes no append-only file: set appendonly yes": info.get("aof_enabled") != 1,
        "redis cannot write its append-only file": info.get("aof_last_write_status", "ok") != "ok",
        "redis may evict records: set maxmemory-policy noeviction": info.get("maxmemory_policy") != "noeviction",
        "redis is out of memory": 0 < limit <= used,
        "redis has no replica that is online, and NOTIFIER_ACKNOWLEDGE=replica waits for one": acknowledge == "replica"
        and not any(link.get("state") == "online" for link in replicas),
    }
    return [fault for fault, is_so in wrong.items() if is_so]


async def _unconfirmed(redis: Redis, acknowledge: Acknowledge) -> list[str]:
    """Whether a write is confirmed, and truly: Redis 7.4 and Valkey confirm what `everysec` writes a second too early
    (redis/redis#13793).
    """
    try:
        await confirm(redis, acknowledge)
    except Unconfirmed as error:
        return [f"redis does not confirm what it writes, as NOTIFIER_ACKNOWLEDGE={acknowledge} wants it: {error}"]
    try:
        policy = (await redis.config_get("appendfsync"))["appendfsync"]
    except (ResponseError, KeyError):
        return []  # a managed service keeps this to itself
    return [] if policy == "always" else [f"NOTIFIER_ACKNOWLEDGE={acknowledge} needs appendfsync always"]
