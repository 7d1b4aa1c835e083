"""Times and amounts as each locale writes them (CLDR, by Babel): values come in, words for a person go out."""

import re
from copy import copy
from datetime import datetime
from decimal import Context, Decimal, localcontext
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time, get_datetime_format, get_timezone_name

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
NARROW_NO_BREAK_SPACE = "\N{NARROW NO-BREAK SPACE}"
# Languages without spaces; and one, or a line break, that a template put between two of their sentences.
_WITHOUT_SPACES = {"ja", "zh"}
# A line that ends in a question is a heading, and stays one.
_AFTER_SENTENCE = re.compile("(?:[。！？] |。\n)(?=[0-9]|[^\\s\x00-\x7f])")
# A phone has room for no more side by side: of a longer amount the asset stands on a line of its own, rather than that
# a browser breaks its name.
_ONE_LINE = 30
# Amounts have up to 48 digits (events.py); `decimal`'s own 28 would refuse to print them.
_EXACT = Context(prec=60)
# Babel parses a tag again wherever it is given one, and no locale twice.
_locale = cache(Locale.parse)


# A mail says a time twice, as HTML and as text.
@lru_cache(maxsize=1024)
def full_datetime(value: datetime, locale: str, zone: str) -> str:
    """`9 March 2026, 15:05 (Central European Standard Time)`: the zone named, since the reader may be elsewhere."""
    local, known = value.astimezone(ZoneInfo(zone)), _locale(locale)
    pattern = str(get_datetime_format("long", locale=known)).replace("'", "")
    when = pattern.format(format_time(local, "short", locale=known), format_date(local, "long", locale=known))
    # CLDR's narrow spaces are missing in many fonts of mail programs, and then look like none.
    return f"{when} ({_zone_name(local, known, zone)})".replace(NARROW_NO_BREAK_SPACE, NO_BREAK_SPACE)


def _zone_name(local: datetime, locale: Locale, zone: str) -> str:
    if zone in ("UTC", "Etc/UTC"):
        return "UTC"
    name = get_timezone_name(local, width="long", locale=locale)
    # CLDR names no zone for some countries and gives an offset alone; then its city says which.
    if not any(char.isdigit() for char in name):
        return name
    return f"{_city(local, locale)}, {utc_offset(local)}"


def _city(local: datetime, locale: Locale) -> str:
    """Babel looks a zone up by its newest name (Europe/Kyiv), CLDR names its city under the one it began with."""
    aliases, named = get_global("zone_aliases"), locale.time_zones
    newest = aliases.get(str(local.tzinfo), str(local.tzinfo))
    names = [newest, *(old for old, new in aliases.items() if new == newest)]
    cities = [named[name]["city"] for name in names if "city" in named.get(name, {})]
    return str(cities[0]) if cities else newest.rsplit("/", 1)[-1].replace("_", " ")


def short_datetime(value: datetime, locale: str, zone: str) -> str:
    """`9 Mar, 15:05 UTC+1`: for SMS, where each character counts."""
    local, known = value.astimezone(ZoneInfo(zone)), _locale(locale)
    skeleton = known.datetime_skeletons.get("MMMd")
    date = format_date(local, skeleton.pattern if skeleton else "d MMM", locale=known)
    time = format_time(local, "HH:mm", locale=known)
    return f"{date} {time} {utc_offset(local)}"


def utc_offset(local: datetime) -> str:
    """`UTC`, `UTC+1`, `UTC+5:30`."""
    offset = local.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"


def amount(value: Decimal, asset: str, locale: str) -> str:
    """`0,250 BTC`: every decimal that was given, and no line break before the asset where both fit on a line."""
    known = _locale(locale)
    pattern = copy(known.decimal_formats[None])
    decimals = max(0, -int(value.as_tuple().exponent))
    pattern.frac_prec = (decimals, decimals)
    with localcontext(_EXACT):
        number = pattern.apply(value, known, decimal_quantization=False)
    return f"{number}{NO_BREAK_SPACE if len(number) + len(asset) < _ONE_LINE else ' '}{asset}"


def closed_up(text: str, locale: str) -> str:
    """Sentences follow one another without a space where the language writes none: 。 has its own."""
    return _AFTER_SENTENCE.sub(lambda found: found[0][0], text) if locale.split("_")[0] in _WITHOUT_SPACES else text
