"""Times and amounts as each locale writes them (CLDR, by Babel): values come in, words for a person go out."""

from datetime import datetime
from decimal import Context, Decimal, localcontext
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format, get_timezone_name
from babel.numbers import format_decimal

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
NARROW_NO_BREAK_SPACE = "\N{NARROW NO-BREAK SPACE}"
# Amounts have up to 48 digits (events.py); `decimal`'s own 28 would refuse to print them.
_EXACT = Context(prec=60)


def full_datetime(value: datetime, locale: str, zone: str) -> str:
    """`9 March 2026, 15:05 (Central European Standard Time)`: the zone named, since the reader may be elsewhere."""
    local = value.astimezone(ZoneInfo(zone))
    pattern = str(get_datetime_format("long", locale=locale)).replace("'", "")
    when = pattern.format(format_time(local, "short", locale=locale), format_date(local, "long", locale=locale))
    name = "UTC" if zone in ("UTC", "Etc/UTC") else get_timezone_name(local, width="long", locale=locale)
    return f"{when} ({name})"


def short_datetime(value: datetime, locale: str, zone: str) -> str:
    """`9 Mar, 15:05 UTC+1`: for SMS, where each character counts."""
    local = value.astimezone(ZoneInfo(zone))
    skeleton = Locale.parse(locale).datetime_skeletons.get("MMMd")
    date = format_date(local, skeleton.pattern if skeleton else "d MMM", locale=locale)
    time = format_time(local, "HH:mm", locale=locale)
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
    """`0,25 BTC`: every decimal that was given, and never a line break before the asset."""
    with localcontext(_EXACT):
        number = format_decimal(value, locale=locale, decimal_quantization=False)
    return f"{number}{NO_BREAK_SPACE}{asset}"
