"""Where each string is seen: the templates come in, for each string the notices and pages that show it go out.

A string of a shared macro belongs to every template that calls it. Where a template asks for a code, a link or a hold,
the samples of its notice tell whether that message may have one; of any other condition both branches count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from notifier.catalogs.speech import Speech
from notifier.catalogs.variants import variants
from notifier.notices import NOTICES
from notifier.rendering.wording import Known

Form = Literal["subject", "html", "text", "sms", "page"]

_FILES: Mapping[str, Form] = {"subject.txt": "subject", "body.html": "html", "body.txt": "text", "sms.txt": "sms"}
# Where a string is best looked at: the subject stands above the HTML in the preview.
_BEST: Mapping[Form, int] = {"html": 0, "subject": 0, "sms": 1, "page": 2, "text": 3}
_ADDRESS: Mapping[Form, str] = {"html": "html", "subject": "html", "sms": "sms", "text": "text"}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`name` is a notice's, or a page's."""

    form: Form
    name: str

    @property
    def message(self) -> str:
        """What is written in one language, whole: a notice in one channel, or a page."""
        channel = {"page": "page", "sms": "sms"}.get(self.form, "email")
        return f"{self.name} ({channel})"

    @property
    def preview(self) -> str:
        """Its address among the preview pages, with `{locale}` for whichever."""
        if self.form == "page":
            return f"/preview/{{locale}}/pages/{self.name}"
        return f"/preview/{{locale}}/{self.name}/{_ADDRESS[self.form]}"


class Usage:
    """Of the strings of the templates that `speech` is rendered with."""

    def __init__(self, speech: Speech) -> None:
        self._samples = speech.samples
        self._templates = speech.wording

    @cached_property
    def notices(self) -> list[str]:
        """Those with a folder, in the order of the table."""
        return [name for name in NOTICES if f"{name}/subject.txt" in self._templates.names]

    @cached_property
    def places(self) -> Mapping[str, tuple[Place, ...]]:
        """By a string's key all the places where it may stand, the best to look at first."""
        return self._found(lambda _: {})

    @cached_property
    def shown(self) -> Mapping[str, tuple[Place, ...]]:
        """By a string's key the places where the samples show it."""
        return self._found(self._carried)

    def previews(self, key: str) -> list[str]:
        """One address for each kind of message that shows the string; text only where nothing else does."""
        addresses: dict[int, str] = {}
        for place in self.shown.get(key) or self.places.get(key, ()):
            addresses.setdefault(_BEST[place.form], place.preview)
        if len(addresses) > 1:
            addresses.pop(_BEST["text"], None)
        return list(addresses.values())

    def _found(self, known: Callable[[Place], Known]) -> Mapping[str, tuple[Place, ...]]:
        found: dict[str, list[Place]] = defaultdict(list)
        for place, template in self._entries():
            for key in self._templates.of(template, known(place)):
                found[key].append(place)
        return {key: tuple(sorted(places, key=lambda place: _BEST[place.form])) for key, places in found.items()}

    def _entries(self) -> Iterator[tuple[Place, str]]:
        for name in self.notices:
            for file, form in _FILES.items():
                if f"{name}/{file}" in self._templates.names:
                    yield Place(form, name), f"{name}/{file}"
        for template in self._templates.names:
            folder, _, file = template.partition("/")
            if folder == "pages" and file not in ("layout.html", "ui.html"):
                yield Place("page", file.removesuffix(".html")), template

    def _carried(self, place: Place) -> Known:
        """What all variants of its message have or lack: a code, links, the end of a hold, a hold without an end."""
        if place.form == "page":
            return {}
        seen: dict[str, set[bool]] = defaultdict(set)
        for variant in variants(place.name):
            said = self._samples.message(place.name, "sms" if place.form == "sms" else "email", variant=variant)
            seen["code"].add(said.code is not None)
            seen["withdrawals_resume"].add(said.accepted.held_until is not None)
            seen["withdrawals_stopped"].add(said.accepted.stopped)
            for name, url in said.urls.items():
                seen[f"links.{name}"].add(bool(url))
        return {name: next(iter(values)) for name, values in seen.items() if len(values) == 1}
