"""Settings and a Redis client come in, the wired stages go out: what the API and the worker both stand on."""

import atexit
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from arq.connections import ArqRedis

from links.ledger import Ledger
from links.purposes import purposes
from links.tokens import Tokens
from notifier.bells import Bells, connect
from notifier.clock import Clock, system_clock
from notifier.codes import Codes
from notifier.config import Settings
from notifier.intake import Intake
from notifier.linkage import Linkage
from notifier.outbox import RETENTION, Outbox
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Renderer, Voice
from notifier.sealing import Sealer
from notifier.setting_types import ON_REQUEST
from notifier.throttle import DEFAULTS, Throttle

_PACKAGE = Path(__file__).parent


def assets(name: str) -> Path:
    """`templates` or `locales`: at the top of a checkout, inside the package when installed from a wheel."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that more than one root needs."""

    settings: Settings
    clock: Clock
    redis: ArqRedis
    bells: Bells
    outbox: Outbox
    codes: Codes
    ledger: Ledger
    tokens: Tokens
    linkage: Linkage
    sealer: Sealer
    throttle: Throttle
    catalogs: Catalogs
    renderer: Renderer
    intake: Intake


def open_store(settings: Settings, *, patient: bool) -> ArqRedis:
    """A client of the operator's Redis; where none is set, of the embedded server, which ends with this process."""
    if settings.redis_url:
        return connect(settings.redis_url.get_secret_value(), patient=patient)
    # Imported here: a production install has no embedded server.
    from notifier.sandbox.valkey import EmbeddedValkey

    valkey = EmbeddedValkey(settings.data_dir)
    valkey.start()
    atexit.register(valkey.stop)
    return connect(valkey.url, patient=patient)


def compose(settings: Settings, redis: ArqRedis, clock: Clock = system_clock) -> Parts:
    """Wire it all; touches no network."""
    table = purposes(settings.link_lives, settings.link_challenges)
    longest = max((RETENTION, *(purpose.life for purpose in table.values()))) + timedelta(days=1)
    outbox = Outbox(redis)
    codes = Codes(
        redis,
        settings.code_keys,
        length=settings.code_length,
        lengths=settings.code_lengths,
        life=settings.code_life,
        lives=settings.code_lives,
    )
    ledger = Ledger(
        redis,
        table.values(),
        reactivation_delay=settings.reactivation_delay,
        keep=longest,
        keep_audit=settings.audit_age,
    )
    on_request = settings.link_lives.get(ON_REQUEST, timedelta(hours=24))
    tokens = Tokens(settings.link_keys, table, clock)
    linkage = Linkage(settings.public_url, tokens, table, on_request)
    sealer = Sealer(settings.payload_keys)
    catalogs = Catalogs(assets("locales"), settings.default_locale)
    voice = Voice(
        brand=settings.brand,
        base_url=settings.public_url,
        support_email=settings.support_email,
        life_emergency=table["deactivate"].life,
        life_on_request=on_request,
        reactivation_delay=settings.reactivation_delay,
        hold_account_reactivated=settings.hold_account_reactivated,
    )
    bells = Bells(redis, clock)
    intake = Intake(
        outbox=outbox,
        codes=codes,
        ledger=ledger,
        linkage=linkage,
        sealer=sealer,
        negotiate=catalogs.negotiate,
        ring=bells.deliver,
        clock=clock,
    )
    return Parts(
        settings=settings,
        clock=clock,
        redis=redis,
        bells=bells,
        outbox=outbox,
        codes=codes,
        ledger=ledger,
        tokens=tokens,
        linkage=linkage,
        sealer=sealer,
        throttle=Throttle(redis, {**DEFAULTS, **settings.limits}),
        catalogs=catalogs,
        renderer=Renderer(assets("templates"), catalogs, voice),
        intake=intake,
    )
