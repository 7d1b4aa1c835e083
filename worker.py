"""The arq worker: settings, startup, shutdown; no logic. Run it as `notifier worker` or `arq worker.WorkerSettings`.

arq runs the process and carries the bells; they ring for rounds of work, one to a lane and one for actions.
"""

import asyncio
import json
from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from arq.connections import ArqRedis

from notifier.bells import FORWARD, HEARD, QUEUE, listening, serialize
from notifier.composition import Parts, open_store, started
from notifier.config import Settings, load
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.platform import Forwarder
from notifier.rendering.watch import watched
from notifier.rounds import Round
from notifier.telemetry import configure_telemetry
from notifier.transports.base import Mail, Sms, Transport
from notifier.transports.inbox import InboxTransport
from notifier.transports.smtp import SmtpTransport
from notifier.transports.turns import Turns
from notifier.webhook import Webhook, new_client

# A bell is what is left of a knock that nobody heard: arq need not look more often than rounds do by themselves.
_POLL = timedelta(milliseconds=500)
# What is in hand may end when the worker is told to: well within the 30 s that orchestrators give.
_DRAIN = timedelta(seconds=15)


async def deliver(ctx: dict[str, Any], lane: str) -> None:
    """A bell: this lane has notifications that are due."""
    ctx["rounds"][lane].ring()


async def forward(ctx: dict[str, Any]) -> None:
    """A bell: there are actions to forward."""
    ctx["rounds"][FORWARD].ring()


def delivery(parts: Parts, mail: Transport[Mail], sms: Transport[Sms] | None) -> Delivery:
    """What sends notifications."""
    return Delivery(
        outbox=parts.outbox,
        composer=parts.composer,
        sealer=parts.sealer,
        suppressions=parts.suppressions,
        fall_back=parts.fallback.reach,
        moot=parts.follow_ups.moot,
        mail=mail,
        sms=sms,
        inbox=InboxTransport(parts.inbox, parts.clock),
        turns=Turns(parts.settings.mails_in_doubt),
        clock=parts.clock,
    )


def forwarder(parts: Parts, http: httpx.AsyncClient) -> Forwarder:
    """What forwards actions."""
    return Forwarder(
        ledger=parts.ledger,
        actions=parts.actions,
        outbox=parts.outbox,
        archive=parts.archive,
        sealer=parts.sealer,
        webhook=Webhook(http, parts.settings.platform_url, parts.settings.platform_secrets, parts.clock),
        accept=parts.intake.accept,
        clock=parts.clock,
    )


async def startup(ctx: dict[str, Any]) -> None:
    """Wire the stages that a worker runs, and start their rounds."""
    settings: Settings = ctx["settings"]
    opened: AsyncExitStack = ctx["opened"]
    parts = Parts(settings, ctx["redis"])
    mail = SmtpTransport(settings.smtp_urls, name=urlsplit(settings.public_url).hostname)
    opened.push_async_callback(mail.close)
    accounts = settings.twilio_accounts
    sms = None
    if accounts:
        # Twilio's library takes a fifth of a second to import.
        from notifier.transports.twilio import TwilioTransport

        sms = TwilioTransport(accounts, settings.public_url)
        opened.push_async_callback(sms.close)
    http = await opened.enter_async_context(new_client())
    sending = delivery(parts, mail, sms)
    rounds: dict[str, Round[Any]] = {lane: sending.round(lane) for lane in Lane}
    ctx["rounds"] = rounds | {FORWARD: forwarder(parts, http).round()}
    await opened.enter_async_context(watched(parts.catalogs))
    for one in ctx["rounds"].values():
        one.start()
    opened.push_async_callback(_end, ctx["rounds"].values())

    def knocked(queue: str) -> None:
        if queue in ctx["rounds"]:
            ctx["rounds"][queue].ring()

    await opened.enter_async_context(listening(ctx["redis"], knocked))
    started()


async def shutdown(ctx: dict[str, Any]) -> None:
    """Take nothing more, let what is in hand end, let go of connections. Also after a startup that failed halfway."""
    await ctx["opened"].aclose()


async def _end(rounds: Collection[Round[Any]]) -> None:
    await asyncio.gather(*(one.stop(_DRAIN) for one in rounds))


def worker_settings(settings: Settings, redis: ArqRedis) -> type:
    """The class that arq reads."""
    return type(
        "WorkerSettings",
        (),
        {
            "functions": [deliver, forward],
            "on_startup": startup,
            "on_shutdown": shutdown,
            "redis_pool": redis,
            "queue_name": QUEUE,
            "ctx": {"settings": settings, "opened": AsyncExitStack()},
            "job_serializer": serialize,
            "job_deserializer": json.loads,
            "poll_delay": _POLL,
            "max_jobs": 32,
            "job_timeout": 60,
            "keep_result": 0,
            "health_check_key": HEARD,
            "health_check_interval": 20,
            # Bells are over at once.
            "job_completion_wait": 1,
        },
    )


def __getattr__(name: str) -> Any:
    """`WorkerSettings`, made when arq asks for it: importing this module reads no environment."""
    if name != "WorkerSettings":
        raise AttributeError(name)
    configure_telemetry()
    settings = load()
    return worker_settings(settings, open_store(settings, patient=True))
