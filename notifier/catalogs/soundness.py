"""Rules for a string in any language: nothing dropped, added, smuggled in or too long.

A phrase comes in, objections go out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from notifier.catalogs.findings import Objection
from notifier.catalogs.phrases import Phrase
from notifier.catalogs.typography import NARROW, NO_BREAK, typography
from notifier.rendering.gate import HIDDEN, LINK, MARKUP, PLACEHOLDER
from notifier.rendering.negotiation import SOURCE_LOCALE

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>")
# Spelling in some languages (`typography` says in which), hidden in all others.
_JOINERS = re.compile("[\u200c\u200d]")
_LETTERS = re.compile(r"[^\W\d_]")
_SPACES = re.compile(r"[ \t]{2,}")


def unsound(phrase: Phrase, numbers: Mapping[int, frozenset[int]]) -> Iterator[Objection]:
    """What is wrong whatever the language; `numbers` are those that take each plural form."""
    for form, string in enumerate(phrase.strings):
        english = phrase.ids[0 if form == 0 else -1]
        # A form for one number alone may say it in words.
        yield from _placeholders(phrase, string, spare=len(phrase.strings) > 1 and len(numbers.get(form, ())) == 1)
        yield from _markup(phrase, string)
        yield from _hidden(phrase, string)
        yield from _edges(english, string)
        if phrase.limit is not None and (over := len(PLACEHOLDER.sub("", string)) - phrase.limit) > 0:
            yield Objection("length", f"has {phrase.limit + over} characters", f"at most {phrase.limit}: {over} fewer")
        if phrase.only_sms and (NO_BREAK in string or NARROW in string):
            yield Objection(
                "space-in-sms",
                "has a no-break space, which makes the whole SMS UCS-2",
                string.replace(NO_BREAK, " ").replace(NARROW, " "),
            )
    same = set(phrase.strings) <= set(phrase.ids) and _LETTERS.search(PLACEHOLDER.sub("", phrase.ids[0]))
    if same and phrase.locale.split("_")[0] != SOURCE_LOCALE:
        yield Objection("untranslated", "is English still", "a translation, or a row in allowed.csv that says why")


def _placeholders(phrase: Phrase, string: str, *, spare: bool) -> Iterator[Objection]:
    found = Counter(PLACEHOLDER.findall(string))
    dropped = sorted(phrase.placeholders - found.keys())
    if dropped and not (spare and len(dropped) == 1):
        yield Objection(
            "placeholders", f"lacks {_named(dropped)}", "every placeholder of the English, letter by letter"
        )
    if added := sorted(found.keys() - phrase.placeholders):
        wanted = _named(sorted(phrase.placeholders)) if phrase.placeholders else "no placeholder"
        yield Objection("placeholders", f"has {_named(added)}, which the English has not", f"{wanted}")
    if twice := sorted(name for name, count in found.items() if count > 1):
        yield Objection("placeholders", f"has {_named(twice)} more than once", "each placeholder once")
    # Any other per cent sign would stop the rendering.
    if "%" in PLACEHOLDER.sub("", string).replace("%%", ""):
        names = _named(sorted(phrase.placeholders)) or "%%"
        yield Objection("placeholders", "has a % that begins no placeholder", f"{names}, or %% for a per cent sign")


def _named(names: list[str]) -> str:
    return ", ".join(f"%({name})s" for name in names)


def _markup(phrase: Phrase, string: str) -> Iterator[Objection]:
    english = " ".join(phrase.ids)
    wanted, found = _TAG.findall(phrase.ids[0]), _TAG.findall(string)
    if wanted:
        if Counter(wanted) != Counter(found):
            yield Objection("tags", "has other tags than the English", f"the same tags: {_tags(wanted)}")
        elif not _balanced(found):
            yield Objection("tags", "closes its tags in another order than it opens them", f"as in {_tags(wanted)}")
        string, english = _TAG.sub("", string), _TAG.sub("", english)
    if new := [hit for hit in MARKUP.findall(string) if hit not in english]:
        yield Objection("markup", f"has {new[0]!r}, which is markup", "plain text")
    bare = PLACEHOLDER.sub("", string)
    if links := [hit for hit in LINK.findall(bare) if hit not in english]:
        yield Objection("link", f"has {links[0]!r}, which leads somewhere", "only what the English has")


def _tags(tags: list[tuple[str, str]]) -> str:
    return "".join(f"<{slash}{name}>" for slash, name in tags)


def _balanced(tags: list[tuple[str, str]]) -> bool:
    open_: list[str] = []
    for slash, name in tags:
        if not slash:
            open_.append(name)
        elif not open_ or open_.pop() != name:
            return False
    return not open_


def _hidden(phrase: Phrase, string: str) -> Iterator[Objection]:
    needed = typography(phrase.locale).joiners
    joiners = [char for char in _JOINERS.findall(string) if char not in needed]
    if found := sorted({f"U+{ord(char):04X}" for char in (*HIDDEN.findall(string), *joiners)}):
        yield Objection("hidden", f"has characters that nobody sees: {', '.join(found)}", "the text without them")


def _edges(english: str, string: str) -> Iterator[Objection]:
    body = string.strip()
    before, after = english[: len(english) - len(english.lstrip())], english[len(english.rstrip()) :]
    if string != before + body + after:
        yield Objection("edges", "begins or ends with other spaces than the English", repr(before + body + after))
    if _SPACES.search(body) and not _SPACES.search(english):
        yield Objection("spaces", "has two spaces in a row", _SPACES.sub(" ", body))
