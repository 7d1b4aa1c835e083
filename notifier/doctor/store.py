"""Settings come in; what is found of the store, and of who works on it, goes out."""

from notifier.clock import Clock
from notifier.composition import Parts, open_store
from notifier.config import Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.readiness import faults

_FULL = 0.8


async def check(settings: Settings, clock: Clock) -> list[Finding]:
    """Reached, lasting, with room; workers are there, and keep up."""
    if settings.redis_url is None:
        return [warn("store", "the embedded server, which is for trying out", "set NOTIFIER_REDIS_URL")]
    redis = open_store(settings, patient=False)
    try:
        wrong = await faults(redis, settings.acknowledge)
        if wrong:
            return [fail("store", fault, _MEND) for fault in wrong]
        info = await redis.info()
        found = [ok("store", f"{_name(info)} answers, appends to a file and evicts nothing"), _room(info)]
        parts = Parts(settings, redis, clock)
        concerns = (await parts.lookout.look(clock())).warnings()
        return [*found, *(warn("service", concern, "see /metrics and the workers' logs") for concern in concerns)]
    finally:
        await redis.aclose(close_connection_pool=True)


_MEND = "mend it on the server, or let NOTIFIER_REDIS_URL lead to another"


def _name(info: dict[str, object]) -> str:
    valkey = info.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {info['redis_version']}"


def _room(info: dict[str, int]) -> Finding:
    used, most = info["used_memory"], info.get("maxmemory", 0)
    told = f"uses {used // 1_000_000} MB" + (f" of {most // 1_000_000} MB" if most else ", with no limit of its own")
    if most and used > most * _FULL:
        return warn("store", told, "give it more memory: a full store takes no new events")
    return ok("store", told)
