"""A language tag as a caller wrote it and the locales that are served come in; those to write in, best first, go out.

What a tag leaves out is filled in by CLDR's likely subtags: `zh-TW` is written in traditional characters, `sr` in
Cyrillic, `pt` as in Brazil. Another language than the one asked for is never chosen for being near.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from babel import Locale
from babel.core import get_global

# The msgids are English.
SOURCE_LOCALE = "en"
# Why a message is in its locale: the tag names it; the tag is narrower (`sq-XK`); the tag says it by another name
# (`no`, `zh-TW`, `pt`); no locale fits; or the one that fits lacks a string of this message.
Reason = Literal["exact", "region", "alias", "default", "incomplete"]

# Norwegian without a form is written in Bokmål by nine in ten, and each reads the other's.
_SAME: dict[str, tuple[str, ...]] = {"no": ("no", "nb", "nn"), "nb": ("nb", "no", "nn"), "nn": ("nn", "no", "nb")}
# Schools in these languages teach both scripts, or readers manage (CLDR's language matching has the same pairs).
_BOTH_SCRIPTS = {("zh", "Hans", "Hant"), ("zh", "Hant", "Hans"), ("sr", "Latn", "Cyrl"), ("sr", "Cyrl", "Latn")}
# One element of Accept-Language: a language range and its weight.
_RANGE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?", re.IGNORECASE)
# BCP 47, or POSIX as `nb_NO.UTF-8` and `sr_RS@latin`.
_TAG = re.compile(r"([A-Za-z]{2,8})((?:[-_][A-Za-z0-9]{1,8}){0,7})(?:\.[A-Za-z0-9-]{1,16})?(?:@([A-Za-z]{1,16}))?")
_POSIX_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva"}


class Tag(NamedTuple):
    """The parts of a tag that choose a locale, as CLDR writes them; what is None was not said."""

    language: str
    script: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """The locales to write in, best first, the default and English at the end; and why the first is first."""

    chain: tuple[str, ...]
    reason: Reason


def match(tag: str | None, served: Sequence[str], default: str) -> Match:
    """The locales for a tag in any casing; the same arguments give the same answer."""
    return _match(tag[:100] if tag else "", tuple(served), default)


@lru_cache(maxsize=1024)
def _match(text: str, served: tuple[str, ...], default: str) -> Match:
    wanted = parse(text)
    last = (default, SOURCE_LOCALE)
    if wanted is None:
        return Match(tuple(dict.fromkeys(last)), "default")
    ranked = sorted((rank, locale) for locale in served if (rank := _rank(wanted, locale)) is not None)
    fitting = [locale for _, locale in ranked]
    reason = _reason(text, wanted, fitting[0]) if fitting else "default"
    return Match(tuple(dict.fromkeys((*fitting, *last))), reason)


def lacking(tag: str | None, served: str) -> str | None:
    """The language that was asked for where `served` is another, as CLDR has it; `other` for what it has not."""
    wanted, offered = parse(tag or ""), parse(served)
    if not tag or (wanted and offered and offered.language in _SAME.get(wanted.language, (wanted.language,))):
        return None
    return wanted.language if wanted and wanted.language in Locale(SOURCE_LOCALE).languages else "other"


def weighed(accept_language: str | None) -> list[str]:
    """The tags of an Accept-Language header (RFC 9110), heaviest first; a weight of 0 means: not this one."""
    ranges = [_RANGE.fullmatch(part) for part in (accept_language or "")[:200].split(",")]
    weights = [(weight, found[1]) for found in ranges if found and (weight := float(found[2] or 1))]
    return [tag for _, tag in sorted(weights, key=lambda row: -row[0])]


def parse(text: str) -> Tag | None:
    """None for what is no tag. A language known by an old or longer name gets its own (`iw`, `sqi`)."""
    found = _TAG.match(text)
    if found is None:
        return None
    language, script, region = found[1].lower(), None, None
    for part in re.split("[-_]", found[2])[1:]:
        if len(part) == 1:  # extensions and private use follow
            break
        if len(part) == 4 and part.isalpha():
            script = script or part.title()
        elif (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
            region = region or part.upper()
    # An alias may say the script as well: `sh` is Serbian in Latin letters.
    language, *implied = get_global("language_aliases").get(language, language).split("_")
    said = script or _POSIX_SCRIPTS.get((found[3] or "").lower())
    return Tag(language, said or next((part for part in implied if len(part) == 4), None), region)


def _rank(wanted: Tag, locale: str) -> tuple[int, int, int] | None:
    """How far a served locale is from what is wanted: by language, script, region. None: too far."""
    offered = parse(locale)
    same = _SAME.get(wanted.language, (wanted.language,))
    if offered is None or offered.language not in same:
        return None
    script, likely = _likely(wanted)
    offered_script = _likely(offered)[0]
    other_script = script != offered_script
    if other_script and (wanted.language, script, offered_script) not in _BOTH_SCRIPTS:
        return None
    return same.index(offered.language), int(other_script), _region_rank(wanted, offered, likely)


def _region_rank(wanted: Tag, offered: Tag, likely: str | None) -> int:
    """As asked for; then what CLDR has that region inherit from (`pt_AO` from `pt_PT`); then the language's own."""
    parent = get_global("parent_exceptions").get("_".join(part for part in wanted if part), "")
    order = (wanted.region, parent.rpartition("_")[2] or None, None, likely) if wanted.region else (None, likely)
    return order.index(offered.region) if offered.region in order else len(order)


def _likely(tag: Tag) -> tuple[str | None, str | None]:
    """The script and region of a tag, those that it does not say as CLDR finds them likely."""
    table = get_global("likely_subtags")
    for parts in (tag, (tag.language, None, tag.region), (tag.language, tag.script, None), (tag.language, None, None)):
        found = table.get("_".join(part for part in parts if part))
        if found:
            _, script, region = found.split("_")
            return tag.script or script, tag.region or region
    return tag.script, tag.region


def _reason(text: str, wanted: Tag, locale: str) -> Reason:
    offered = parse(locale)
    if offered is None or text.lower().replace("-", "_") == locale.lower():
        return "exact"
    written = re.split("[-_.@]", text.lower())[0]
    # What the locale says and the tag did not, or said otherwise: another name, a script, which of two Portuguese.
    added = (offered.script and offered.script != wanted.script) or (offered.region and not wanted.region)
    other = written != offered.language or _likely(offered)[0] != _likely(wanted)[0]
    return "alias" if added or other else "region"
