"""Settings and a Redis client come in, the wired stages go out: what the API and the worker both stand on."""

import atexit
import gc
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from arq.connections import ArqRedis

from links.actions import Actions
from links.ledger import Ledger
from links.purposes import purposes
from links.tokens import Tokens
from notifier.allowance import RULE, Allowances
from notifier.archive import Archive
from notifier.assets import assets
from notifier.bells import Bells
from notifier.cancellation import Cancellation
from notifier.clock import Clock, system_clock
from notifier.codes import Codes
from notifier.composer import Composer
from notifier.config import Settings, SettingsError
from notifier.dead_letters import DeadLetters
from notifier.events import Channel
from notifier.fallback import Fallback
from notifier.follow_ups import FollowUps
from notifier.holds import Holds
from notifier.inbox import Inbox
from notifier.intake import Intake
from notifier.keyring import Keyring
from notifier.linkage import Linkage
from notifier.notices import HOLDS, Lane
from notifier.notifications import RETENTION, queue
from notifier.outbox import Outbox
from notifier.pressure import DEPTHS, Pressure
from notifier.preview import Previewer
from notifier.receipts import Receipts
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Renderer, Voice
from notifier.return_path import ReturnPath
from notifier.sealing import Sealer
from notifier.setting_types import ON_REQUEST
from notifier.standing import Lookout
from notifier.store import connect
from notifier.suppressions import Suppressions
from notifier.throttle import DEFAULTS, Throttle


class Parts:
    """Everything that more than one root needs, each made when it is first asked for; touches no network."""

    def __init__(self, settings: Settings, redis: ArqRedis, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.redis = redis
        self.clock = clock
        self._purposes = purposes(settings.link_lives, settings.link_challenges)
        self._holds = {**HOLDS, **settings.holds}
        self._on_request = settings.link_lives.get(ON_REQUEST, timedelta(hours=24))
        longest = max((RETENTION, *(purpose.life for purpose in self._purposes.values())))
        # Until the longest-lived link is gone, and a day for clocks and queues.
        self._keep = longest + timedelta(days=1)

    # What Redis keeps.

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.redis, self.settings.acknowledge)

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.redis)

    @cached_property
    def codes(self) -> Codes:
        s = self.settings
        return Codes(
            self.redis, s.code_keys, length=s.code_length, lengths=s.code_lengths, life=s.code_life, lives=s.code_lives
        )

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(
            self.redis,
            self._purposes.values(),
            reactivation_delay=self.settings.reactivation_delay,
            keep=self._keep,
            keep_audit=self.settings.audit_age,
            acknowledge=self.settings.acknowledge,
        )

    @cached_property
    def holds(self) -> Holds:
        return Holds(self.redis, self._holds, RETENTION)

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.redis, self.sealer, self.settings.inbox_age)

    @cached_property
    def actions(self) -> Actions:
        return Actions(self.redis, keep=self._keep, keep_audit=self.settings.audit_age)

    @cached_property
    def suppressions(self) -> Suppressions:
        return Suppressions(self.redis, self.settings.payload_keys)

    @cached_property
    def throttle(self) -> Throttle:
        return Throttle(self.redis, {**DEFAULTS, **self.settings.limits})

    @cached_property
    def allowances(self) -> Allowances:
        return Allowances(self.redis, {**DEFAULTS, **self.settings.limits}[RULE])

    @cached_property
    def pressure(self) -> Pressure:
        queues = {lane.value: queue(lane) for lane in Lane}
        return Pressure(self.redis, queues, {**DEPTHS, **self.settings.lane_depths}, self.clock)

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.redis, self.settings.acknowledge)

    @cached_property
    def bells(self) -> Bells:
        return Bells(self.redis, self.clock)

    @cached_property
    def lookout(self) -> Lookout:
        return Lookout(self.redis, self.archive, self.actions)

    # What is pure.

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.settings.payload_keys)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.settings.link_keys, self._purposes, self.clock)

    @cached_property
    def linkage(self) -> Linkage:
        return Linkage(self.settings.public_url, self.tokens, self._purposes, self._on_request)

    @cached_property
    def return_path(self) -> ReturnPath | None:
        mailbox = self.settings.bounce_address
        return ReturnPath(mailbox, self.settings.link_keys) if mailbox else None

    @cached_property
    def catalogs(self) -> Catalogs:
        try:
            return Catalogs(self.locales, self.settings.default_locale)
        except ValueError as error:
            raise SettingsError(f"NOTIFIER_DEFAULT_LOCALE: {error}") from None

    @property
    def locales(self) -> Path:
        """Where the catalogs are."""
        return self.settings.locales or assets("locales")

    @cached_property
    def voice(self) -> Voice:
        return Voice(
            brand=self.settings.brand,
            base_url=self.settings.public_url,
            support_email=self.settings.support_email,
            life_emergency=self._purposes["deactivate"].life,
            life_on_request=self._on_request,
            reactivation_delay=self.settings.reactivation_delay,
            life_activation=self._purposes["activate_account"].life,
            holds=self._holds,
        )

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(assets("templates"), self.catalogs, self.voice)

    @cached_property
    def served(self) -> frozenset[Channel]:
        """The channels that are set up."""
        return frozenset(("email", "sms", "inbox") if self.settings.twilio_accounts else ("email", "inbox"))

    # The stages.

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            outbox=self.outbox,
            archive=self.archive,
            codes=self.codes,
            ledger=self.ledger,
            linkage=self.linkage,
            holds=self.holds,
            sealer=self.sealer,
            negotiate=self.catalogs.negotiate,
            choose=self.renderer.choose,
            ring=self.bells.deliver,
            clock=self.clock,
        )

    @cached_property
    def composer(self) -> Composer:
        return Composer(
            codes=self.codes,
            linkage=self.linkage,
            renderer=self.renderer,
            sender=self.settings.sender,
            dkim_keys=self.settings.dkim_keys,
            return_path=self.return_path,
            clock=self.clock,
        )

    @cached_property
    def previewer(self) -> Previewer:
        return Previewer(
            codes=self.codes,
            linkage=self.linkage,
            renderer=self.renderer,
            catalogs=self.catalogs,
            reactivation_delay=self.ledger.reactivation_delay,
            spans=self._holds,
            clock=self.clock,
        )

    @cached_property
    def fallback(self) -> Fallback:
        return Fallback(
            outbox=self.outbox,
            codes=self.codes,
            suppressions=self.suppressions,
            served=self.served,
            countries=self.settings.sms_countries,
            choose=self.renderer.choose,
            ring=self.bells.deliver,
            clock=self.clock,
        )

    @cached_property
    def follow_ups(self) -> FollowUps:
        return FollowUps(self.archive, self.ledger, self.linkage, self.holds, self.clock)

    @cached_property
    def receipts(self) -> Receipts:
        return Receipts(self.outbox, self.archive, self.sealer, self.suppressions, self.fallback.reach, self.clock)

    @cached_property
    def cancellation(self) -> Cancellation:
        return Cancellation(self.outbox, self.archive, self.ledger, self.linkage, self.sealer, self.clock)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(
            archive=self.archive,
            outbox=self.outbox,
            actions=self.actions,
            sealer=self.sealer,
            suppressions=self.suppressions,
            ring_lane=self.bells.deliver,
            ring_forward=self.bells.forward,
            clock=self.clock,
        )


def started() -> None:
    """What a process has by now it keeps: the collector need not look through that again and again, nor after each 700
    new objects, as every event and mail makes many that are gone at once.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def open_store(settings: Settings, *, patient: bool) -> ArqRedis:
    """A client of the operator's Redis; where none is set, of the embedded server, which ends with this process.

    Raises SettingsError where there is neither.
    """
    if settings.redis_url:
        return connect(settings.redis_url.get_secret_value(), patient=patient)
    try:
        # Imported here: a production install has no embedded server.
        from notifier.sandbox.valkey import EmbeddedValkey
    except ModuleNotFoundError:
        raise SettingsError(
            "NOTIFIER_REDIS_URL: is not set, for example NOTIFIER_REDIS_URL=rediss://store.example.com:6379/0 "
            "(the store that runs without it is part of notifier[sandbox], which is not installed)"
        ) from None

    # Only an fsync that was waited for can be confirmed.
    valkey = EmbeddedValkey(settings.data_dir, fsync="everysec" if settings.acknowledge == "memory" else "always")
    valkey.start()
    atexit.register(valkey.stop)
    return connect(valkey.url, patient=patient)
