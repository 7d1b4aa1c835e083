"""The arq worker: settings, startup, shutdown; no logic. Run it as `notifier worker` or `arq worker.WorkerSettings`."""

import json
from datetime import timedelta
from typing import Any

import httpx
from arq import cron
from arq.connections import ArqRedis

from notifier.bells import QUEUE, serialize
from notifier.composition import Parts, compose, open_store
from notifier.config import Settings, load
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.platform import Forwarder
from notifier.telemetry import configure_logging
from notifier.transports.smtp import SmtpTransport
from notifier.transports.twilio import TwilioTransport

# arq looks every 0.5 s unless told otherwise; a person waits for a code.
_POLL = timedelta(milliseconds=20)
# With a goodbye of some seconds (cli.py) well within the 30 s that orchestrators give.
_DRAIN_S = 15


async def deliver(ctx: dict[str, Any], lane: str) -> None:
    """A bell: this lane has notifications that are due."""
    delivery: Delivery = ctx["delivery"]
    if await delivery.deliver(Lane(lane)):
        await ctx["parts"].bells.deliver(Lane(lane))


async def forward(ctx: dict[str, Any]) -> None:
    """A bell: there are actions to forward."""
    forwarder: Forwarder = ctx["forwarder"]
    await forwarder.forward()


async def sweep(ctx: dict[str, Any]) -> None:
    """Every second: ring for what is due and was not rung for, or was left by a worker that died."""
    parts: Parts = ctx["parts"]
    for lane in Lane:
        if await parts.outbox.has_due(lane, parts.clock()):
            await parts.bells.deliver(lane)
    if await parts.ledger.has_due(parts.clock()):
        await parts.bells.forward()


async def startup(ctx: dict[str, Any]) -> None:
    """Wire the stages that a worker runs."""
    settings: Settings = ctx["settings"]
    parts = compose(settings, ctx["redis"])
    ctx["parts"] = parts
    ctx["mail"] = SmtpTransport(settings.smtp_urls)
    ctx["sms"] = (
        TwilioTransport(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            sender=settings.twilio_from,
            messaging_service=settings.twilio_messaging_service_sid,
            base_url=settings.twilio_base_url,
        )
        if settings.twilio_account_sid and settings.twilio_auth_token
        else None
    )
    ctx["http"] = httpx.AsyncClient(timeout=15)
    ctx["delivery"] = Delivery(
        outbox=parts.outbox,
        codes=parts.codes,
        linkage=parts.linkage,
        renderer=parts.renderer,
        sealer=parts.sealer,
        mail=ctx["mail"],
        sms=ctx["sms"],
        sender=settings.sender,
        clock=parts.clock,
    )
    ctx["forwarder"] = Forwarder(
        ledger=parts.ledger,
        outbox=parts.outbox,
        sealer=parts.sealer,
        http=ctx["http"],
        url=settings.platform_url,
        secrets=settings.platform_secrets,
        accept=parts.intake.accept,
        clock=parts.clock,
    )


async def shutdown(ctx: dict[str, Any]) -> None:
    """Let go of connections."""
    await ctx["mail"].close()
    if ctx["sms"]:
        await ctx["sms"].close()
    await ctx["http"].aclose()


def worker_settings(settings: Settings, redis: ArqRedis) -> type:
    """The class that arq reads."""
    return type(
        "WorkerSettings",
        (),
        {
            "functions": [deliver, forward],
            "cron_jobs": [cron(sweep, second=set(range(60)), keep_result=0, timeout=30)],
            "on_startup": startup,
            "on_shutdown": shutdown,
            "redis_pool": redis,
            "queue_name": QUEUE,
            "ctx": {"settings": settings},
            "job_serializer": serialize,
            "job_deserializer": json.loads,
            "poll_delay": _POLL,
            "max_jobs": 32,
            "job_timeout": 60,
            "keep_result": 0,
            "job_completion_wait": _DRAIN_S,
        },
    )


def __getattr__(name: str) -> Any:
    """`WorkerSettings`, made when arq asks for it: importing this module reads no environment."""
    if name != "WorkerSettings":
        raise AttributeError(name)
    configure_logging()
    settings = load()
    return worker_settings(settings, open_store(settings, patient=True))
