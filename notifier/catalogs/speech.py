"""Messages as their owners would read them: catalogs come in, the subjects and SMS of the samples go out."""

import gettext
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog

from notifier.catalogs.files import key, messages, strings
from notifier.catalogs.gsm import spelled
from notifier.catalogs.samples import Samples
from notifier.rendering.catalog import Catalog as Compiled
from notifier.rendering.catalog import key as message_key
from notifier.rendering.i18n import Edition
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.renderer import Choice, Renderer, Voice
from notifier.rendering.segments import Segments, outside, segments
from notifier.rendering.wording import Wording


@dataclass(frozen=True, slots=True)
class Cost:
    """One SMS: what it costs, which letters make it UCS-2, and what it would cost spelled without them."""

    locale: str
    notice: str
    variant: str
    text: str
    segments: Segments
    forced_by: tuple[str, ...]
    spelling: str | None
    spelled: Segments | None


class _NotServed:
    """The renderer's edition where each catalog is named: English alone."""

    edition = Edition({SOURCE_LOCALE: b""}, SOURCE_LOCALE)


class _Words(gettext.NullTranslations):
    """The strings of the catalog whose turn it is: one environment, and its templates loaded once, for all catalogs."""

    def __init__(self) -> None:
        super().__init__()
        self._strings: dict[str, tuple[str, ...]] = {}
        self._form: Callable[[int], int] = int
        self._whose: Catalog | None = None

    def turn(self, catalog: Catalog) -> None:
        """From now on speak as this one."""
        if catalog is not self._whose:
            self._whose = catalog
            self._form = gettext.c2py(catalog.plural_expr)
            self._strings = {key(message): strings(message) for message in messages(catalog) if not message.fuzzy}

    def gettext(self, message: str) -> str:
        """As gettext has it."""
        return self._said(message_key(message), 0) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        return self._said(message_key(msgid1), self._form(n)) or (msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """As gettext has it."""
        return self._said(message_key(message, context), 0) or message

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        return self._said(message_key(msgid1, context), self._form(n)) or (msgid1 if n == 1 else msgid2)

    def _said(self, name: str, form: int) -> str:
        return self._strings.get(name, ("",) * (form + 1))[form]


@dataclass(frozen=True, slots=True)
class _Spoken(Choice):
    """The catalog of `_Words`, in the locale of whose turn it is."""

    said_in: str

    @property
    def locale(self) -> str:
        """By which dates and amounts are written."""
        return self.said_in


class Speech:
    """What `voice` says in any catalog."""

    def __init__(self, templates: Path, voice: Voice) -> None:
        self.voice = voice
        self.samples = Samples(voice.base_url)
        self._renderer = Renderer(templates, _NotServed(), voice)
        self._words = _Words()
        self._spoken = Compiled(SOURCE_LOCALE, "", self._words, frozenset())

    @property
    def wording(self) -> Wording:
        """Which strings each template says."""
        return self._renderer.wording

    def subject(self, notice: str, variant: str, locale: str, catalog: Catalog) -> str:
        """As it stands in the mail's header."""
        said = self.samples.message(notice, "email", variant=variant)
        return self._renderer.subject(said.accepted, said.urls, said.code, self._choice(locale, catalog), said.about)

    def sms(self, notice: str, variant: str, locale: str, catalog: Catalog) -> Cost:
        """What its letters cost."""
        said = self.samples.message(notice, "sms", variant=variant)
        text = self._renderer.sms(said.accepted, said.urls, said.code, self._choice(locale, catalog), said.about)
        spelling = spelled(text, locale)
        return Cost(
            locale=locale,
            notice=notice,
            variant=variant,
            text=text,
            segments=segments(text),
            forced_by=tuple(outside(text)),
            spelling=spelling,
            spelled=segments(spelling) if spelling is not None else None,
        )

    def _choice(self, locale: str, catalog: Catalog) -> Choice:
        self._words.turn(catalog)
        return _Spoken(self._spoken, "exact", locale)
