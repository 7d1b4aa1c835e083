"""All the rules over all the catalogs: files come in, findings and the costs of SMS go out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from babel.messages.catalog import Catalog

from notifier.catalogs import glossary
from notifier.catalogs.extraction import PREVIEW, extract
from notifier.catalogs.files import Shelf, Unreadable, ids, key, messages, parse
from notifier.catalogs.findings import UNSERVABLE, Finding, Objection
from notifier.catalogs.form import misformed
from notifier.catalogs.literals import literals
from notifier.catalogs.phrases import Phrase
from notifier.catalogs.plurals import forms
from notifier.catalogs.rendered import costly, perhaps_costly, perhaps_too_long, too_long
from notifier.catalogs.soundness import unsound
from notifier.catalogs.speech import Cost, Speech
from notifier.catalogs.standing import header, in_step, unfinished
from notifier.catalogs.usage import Form, Usage
from notifier.catalogs.variants import variants
from notifier.rendering.gate import PLACEHOLDER
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.renderer import Voice


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what SMS cost in each locale that could be rendered: all of them where that was asked for."""

    findings: Sequence[Finding]
    costs: Sequence[Cost]


class Checker:
    """The catalogs on `shelf`, for the strings of `templates` and of the Python modules of `package`.

    Messages are rendered as `voice` would say them.
    """

    def __init__(self, shelf: Shelf, templates: Path, package: Path, voice: Voice) -> None:
        self.shelf = shelf
        self._templates = templates
        self._package = package
        self._speech = Speech(templates, voice)
        self.usage = Usage(self._speech)

    def check(self, locales: Collection[str] = (), *, prices: bool = False) -> Report:
        """The named locales; with none named all there are, and the templates. `prices`: what every SMS costs."""
        own = [] if locales else [*self._of_templates()]
        contents = {locale: self.shelf.catalog(locale).read_bytes() for locale in locales or self.shelf.locales}
        report = self.contents(contents, prices=prices)
        return Report(_sorted([*own, *report.findings]), report.costs)

    def contents(self, contents: Mapping[str, bytes], *, prices: bool = False) -> Report:
        """Catalogs by locale, as if each stood on the shelf."""
        findings: list[Finding] = []
        catalogs: dict[str, Catalog] = {}
        for locale, content in contents.items():
            path = self.shelf.catalog(locale)
            try:
                catalogs[locale] = parse(content, path, locale)
            except Unreadable as error:
                right = "a file that gettext's msgfmt takes"
                findings.append(Finding(str(path), error.line, "syntax", error.problem, right, locale))
        costs: list[Cost] = []
        for locale, catalog in catalogs.items():
            found = [*self._of_catalog(locale, catalog)]
            # What cannot be rendered has been told already.
            if not any(finding.rule in UNSERVABLE for finding in found):
                messages_, paid = self._of_messages(locale, catalog, prices=prices)
                found += messages_
                costs += paid
            findings += self._without_allowed(locale, found)
        return Report(_sorted(findings), costs)

    @cached_property
    def template(self) -> Catalog:
        """The .pot as it stands, which catalogs are measured by; where none stands, what it would be."""
        pot = self.shelf.template
        return parse(pot.read_bytes() if pot.exists() else self.extracted, pot)

    @cached_property
    def extracted(self) -> bytes:
        """The .pot of the templates as they are now."""
        return extract(self.shelf, self._templates, self._package, self.usage)

    def _of_templates(self) -> Iterator[Finding]:
        pot = str(self.shelf.template)
        if not self.shelf.template.exists() or self.shelf.template.read_bytes() != self.extracted:
            yield Finding(pot, 0, "stale", "is not what the templates say", "`notifier catalogs update`")
        for message in messages(parse(self.extracted, self.shelf.template)):
            if not any(not comment.startswith(PREVIEW) for comment in message.auto_comments):
                right = "{# Translators: where it stands, what each placeholder is, how long it may be. #} above it"
                yield Finding(pot, message.lineno or 0, "comment", "has no comment", right, string=ids(message)[0])
        for name, line, words in literals(self._speech.wording, self._templates):
            right = "{% trans %} around it, with a comment for translators"
            yield Finding(str(self._templates / name), line, "literal", f"says {words!r} in every language", right)

    def _of_catalog(self, locale: str, catalog: Catalog) -> Iterator[Finding]:
        path = self.shelf.catalog(locale)
        english = locale.split("_")[0] == SOURCE_LOCALE
        for line, string, objection in (*header(catalog, locale), *in_step(catalog, self.template)):
            yield _finding(path, line, locale, string, objection)
        try:
            terms = glossary.terms(path.parent.parent / "glossary.csv")
        except Unreadable as error:
            yield Finding(str(error.path), error.line, "allowed", error.problem, "as in the other locales", locale)
            terms = glossary.Glossary({})
        numbers = forms(catalog.plural_expr)
        for message in messages(catalog):
            phrase = Phrase.of(message, locale, self._forms(key(message)))
            objections = [*unfinished(message, numbers)]
            if not objections:
                objections = [*unsound(phrase, numbers)]
                # English is not judged by another language's typography and terms.
                if all(objection.rule != "untranslated" for objection in objections):
                    objections += [*misformed(phrase), *(() if english else _terms(phrase, terms))]
            for objection in dict.fromkeys(objections):
                yield _finding(path, message.lineno or 0, locale, phrase.ids[0], objection)

    def _of_messages(self, locale: str, catalog: Catalog, *, prices: bool) -> tuple[list[Finding], list[Cost]]:
        path, places = self.shelf.catalog(locale), self.usage.shown
        # Rendering is what takes longest: most SMS need it only for their price.
        dear = self.usage.notices if prices else perhaps_costly(catalog, places, locale)
        costs = [self._speech.sms(notice, variant, locale, catalog) for notice in dear for variant in variants(notice)]
        # Most subjects are so short that nothing needs to be rendered.
        doubtful = perhaps_too_long(catalog, places, self._speech.voice.brand)
        subjects = {
            (notice, variant): self._speech.subject(notice, variant, locale, catalog)
            for notice in doubtful
            for variant in variants(notice)
        }
        found = (*too_long(catalog, places, subjects), *costly(catalog, places, costs))
        return [_finding(path, line, locale, string, objection) for line, string, objection in found], costs

    def _forms(self, key: str) -> frozenset[Form]:
        return frozenset(place.form for place in self.usage.places.get(key, ()))

    def _without_allowed(self, locale: str, found: Sequence[Finding]) -> Iterator[Finding]:
        """The findings but for those that the locale's allowed.csv takes out; and what it need not have."""
        path = self.shelf.catalog(locale).parent.parent / "allowed.csv"
        try:
            allowed = glossary.allowed(path)
        except Unreadable as error:
            yield Finding(str(error.path), error.line, "allowed", error.problem, "as in the other locales", locale)
            allowed = {}
        used = set()
        for finding in found:
            row = (finding.rule, finding.string)
            if row in allowed and finding.rule not in UNSERVABLE:
                used.add(row)
            else:
                yield finding
        for row in allowed.keys() - used:
            problem = "may not be allowed" if row[0] in UNSERVABLE else "allows what nothing objects to"
            yield Finding(str(path), allowed[row], "allowed", problem, "the file without this row", locale, row[1])


def _terms(phrase: Phrase, terms: glossary.Glossary) -> Iterator[Objection]:
    for english, string in zip((phrase.ids[0], *phrase.ids[-1:] * len(phrase.strings)), phrase.strings, strict=False):
        for term in terms.missing(PLACEHOLDER.sub("", english), string):
            yield Objection("glossary", f"does not say {term.english!r} by its term", " or ".join(term.wanted))


def _finding(path: Path, line: int, locale: str, string: str, objection: Objection) -> Finding:
    return Finding(str(path), line, objection.rule, objection.problem, objection.remedy, locale, string)


def _sorted(findings: Sequence[Finding]) -> Sequence[Finding]:
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.rule, finding.problem))
