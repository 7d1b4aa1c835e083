"""Rules for a string by its language's typography. A phrase comes in, objections go out."""

import re
from collections.abc import Iterator

from notifier.catalogs.findings import Objection
from notifier.catalogs.phrases import Phrase
from notifier.catalogs.typography import NARROW, NO_BREAK, Typography, typography
from notifier.rendering.gate import PLACEHOLDER

_CLOSERS = "\"”»’')]】」』"
# What may end a sentence or a label in some script.
_MARKS = ".?!:,;…。？！：，、؟،؛۔।։՞՜՝\N{GREEK QUESTION MARK}"
# A greeting: each language has its own way to end the line.
_GREETING = ",!:，、،.：！。"
_QUOTES = frozenset("“”„«»‹›‘‚「」『』")
_WRONG_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['`´‘ʼ](?=[^\W\d_])|(?<=[^\W\d_])[`´]")
_SPACE_BEFORE = re.compile(rf"[ {NO_BREAK}{NARROW}]+([,.;:!?])(?![\w.])")
_NO_SPACE_AFTER = re.compile(r"([^\W\d_])[.!?;,]([^\W\d_])")


def misformed(phrase: Phrase) -> Iterator[Objection]:
    """Where the string is not typeset as its language is."""
    style = typography(phrase.locale)
    for form, string in enumerate(phrase.strings):
        yield from _ending(phrase.ids[0 if form == 0 else -1], string, style)
        yield from _opening(string, style)
        if not phrase.only_sms:
            yield from _spacing(string, style)
            yield from _quotes(string, style)
            yield from _apostrophes(string, style)


def _mark(text: str) -> str:
    """The mark at the end, or nothing."""
    end = text.rstrip().rstrip(_CLOSERS)[-1:]
    return end if end and end in _MARKS else ""


def _ending(english: str, string: str, style: Typography) -> Iterator[Objection]:
    mark, end = _mark(english), _mark(string)
    if mark == ",":
        allowed = _GREETING
    elif not mark:
        allowed = ""
    else:
        allowed = style.ends.get(mark, mark)
    if end == mark == "" or (end and end in allowed) or (not end and mark in style.ends and not allowed):
        return
    if mark == "," and not end:
        return
    said = f"ends with {end!r}" if end else "ends without a mark"
    right = f"{allowed[0]!r} at the end" if allowed else "no mark at the end"
    yield Objection(
        "ending", f"{said}, the English with {mark!r}" if mark else f"{said}, the English without one", right
    )


def _opening(string: str, style: Typography) -> Iterator[Objection]:
    for mark, opener in style.opening.items():
        if string.count(mark) != string.count(opener):
            yield Objection("opening", f"has {mark!r} without {opener!r}", f"{opener} where the sentence begins")


def _spacing(string: str, style: Typography) -> Iterator[Objection]:
    plain = PLACEHOLDER.sub("x", string)
    if style.before:
        # Not within a time or an address; and marks in a row share one space.
        tight = re.search(rf"(?<![{NO_BREAK}{NARROW}{style.before}])[{style.before}](?![\d/])", plain)
        if tight:
            yield Objection(
                "spacing", f"has {tight[0]!r} without a no-break space before it", f"U+202F before {tight[0]!r}"
            )
    wrong = [hit[0] for hit in _SPACE_BEFORE.finditer(plain) if hit[1] not in style.before]
    if wrong:
        yield Objection("spacing", f"has a space before {wrong[0].strip()!r}", "none")
    if style.inside and (re.search(rf"«(?![{NO_BREAK}{NARROW}])|(?<![{NO_BREAK}{NARROW}])»", plain)):
        yield Objection("spacing", "has « or » without a no-break space inside", "U+202F inside « »")
    if any(hit[1].islower() and hit[2].isupper() for hit in _NO_SPACE_AFTER.finditer(plain)):
        yield Objection("spacing", "has no space after a mark", "a space between the sentences")


def _quotes(string: str, style: Typography) -> Iterator[Objection]:
    first = style.quotes[0]
    right = f"{first[0]}…{first[1]}"
    if '"' in string:
        yield Objection("quotes", 'has a straight quote (")', right)
    known = {char for pair in style.quotes for char in pair}
    if foreign := sorted(char for char in _QUOTES if char in string and char not in known):
        yield Objection("quotes", f"has {' '.join(foreign)}, which are not this language's quotes", right)
    elif not _paired(string, style):
        yield Objection("quotes", "has a quote that is not closed, or not opened", right)


def _paired(string: str, style: Typography) -> bool:
    open_: list[str] = []
    for char in string:
        if open_ and (open_[-1], char) in style.quotes:
            open_.pop()
        elif char in _QUOTES:
            if not any(char == opener for opener, _ in style.quotes):
                return False
            open_.append(char)
    return not open_


def _apostrophes(string: str, style: Typography) -> Iterator[Objection]:
    wrong = [hit[0] for hit in _WRONG_APOSTROPHE.finditer(string) if hit[0] not in style.apostrophes]
    if wrong:
        yield Objection("apostrophe", f"has {wrong[0]} as an apostrophe", style.apostrophes[0])
