"""Times and amounts in each locale, at the hours and sizes where they go wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from notifier.rendering.formats import amount, closed_up, full_datetime, short_datetime, utc_offset

WINTER = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
SUMMER = datetime(2026, 7, 9, 14, 5, tzinfo=UTC)
BEFORE_SPRING = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
AFTER_SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
FIRST_TWO_THIRTY = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SECOND_TWO_THIRTY = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "locale", "zone", "expected"),
    [
        (WINTER, "en", "Europe/Tirane", "March 9, 2026, 3:05 PM (Central European Standard Time)"),
        (WINTER, "sq", "Europe/Tirane", "9 mars 2026, 3:05 m.d. (Ora standarde e Evropës Qendrore)"),
        (WINTER, "nb", "Europe/Oslo", "9. mars 2026, 15:05 (sentraleuropeisk normaltid)"),
        (WINTER, "ru", "Europe/Moscow", "9 марта 2026 г., 17:05 (Москва, стандартное время)"),
        (WINTER, "sv", "Europe/Stockholm", "9 mars 2026 15:05 (centraleuropeisk normaltid)"),
        (SUMMER, "en", "Europe/London", "July 9, 2026, 3:05 PM (British Summer Time)"),
        (SUMMER, "sq", "Europe/Tirane", "9 korrik 2026, 4:05 m.d. (Ora verore e Evropës Qendrore)"),
        (SUMMER, "nb", "Europe/Oslo", "9. juli 2026, 16:05 (sentraleuropeisk sommertid)"),
        (SUMMER, "ru", "Europe/Moscow", "9 июля 2026 г., 17:05 (Москва, стандартное время)"),
        (SUMMER, "sv", "Europe/Helsinki", "9 juli 2026 17:05 (östeuropeisk sommartid)"),
        (BEFORE_SPRING, "nb", "Europe/Oslo", "29. mars 2026, 01:59 (sentraleuropeisk normaltid)"),
        (AFTER_SPRING, "nb", "Europe/Oslo", "29. mars 2026, 03:00 (sentraleuropeisk sommertid)"),
        (FIRST_TWO_THIRTY, "sv", "Europe/Stockholm", "25 oktober 2026 02:30 (centraleuropeisk sommartid)"),
        (SECOND_TWO_THIRTY, "sv", "Europe/Stockholm", "25 oktober 2026 02:30 (centraleuropeisk normaltid)"),
        (NEW_YEAR, "en", "Asia/Tokyo", "January 1, 2027, 8:30 AM (Japan Standard Time)"),
        (SUMMER, "en", "America/St_Johns", "July 9, 2026, 11:35 AM (Newfoundland Daylight Time)"),
        # Known to CLDR by another name, or by none.
        (SUMMER, "uk", "Europe/Kyiv", "9 липня 2026 р., 17:05 (Київ, UTC+3)"),
        (SUMMER, "ja", "Asia/Yangon", "2026年7月9日 20:35 (ヤンゴン, UTC+6:30)"),
        (SUMMER, "en", "America/Argentina/Buenos_Aires", "July 9, 2026, 11:05 AM (Buenos Aires, UTC-3)"),
        (SUMMER, "ru", "UTC", "9 июля 2026 г., 14:05 (UTC)"),
        (SUMMER, "sq", "Etc/UTC", "9 korrik 2026, 2:05 m.d. (UTC)"),
    ],
)
def test_a_full_time_names_its_zone(value: datetime, locale: str, zone: str, expected: str) -> None:
    assert full_datetime(value, locale, zone).replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize(
    ("value", "locale", "zone", "expected"),
    [
        (WINTER, "en", "Europe/Tirane", "Mar 9 15:05 UTC+1"),
        (WINTER, "sq", "Europe/Tirane", "9 mar 15:05 UTC+1"),
        (WINTER, "nb", "Europe/Oslo", "9. mars 15:05 UTC+1"),
        (WINTER, "ru", "Europe/Moscow", "9 мар. 17:05 UTC+3"),
        (WINTER, "sv", "Europe/Stockholm", "9 mars 15:05 UTC+1"),
        (SUMMER, "sv", "Europe/Stockholm", "9 juli 16:05 UTC+2"),
        (SUMMER, "en", "UTC", "Jul 9 14:05 UTC"),
        (WINTER, "en", "Europe/London", "Mar 9 14:05 UTC"),
        (SUMMER, "en", "Europe/London", "Jul 9 15:05 UTC+1"),
        (BEFORE_SPRING, "sq", "Europe/Tirane", "29 mar 01:59 UTC+1"),
        (AFTER_SPRING, "sq", "Europe/Tirane", "29 mar 03:00 UTC+2"),
        (FIRST_TWO_THIRTY, "nb", "Europe/Oslo", "25. okt. 02:30 UTC+2"),
        (SECOND_TWO_THIRTY, "nb", "Europe/Oslo", "25. okt. 02:30 UTC+1"),
        (NEW_YEAR, "en", "Asia/Kolkata", "Jan 1 05:00 UTC+5:30"),
        (SUMMER, "en", "Asia/Kathmandu", "Jul 9 19:50 UTC+5:45"),
        (SUMMER, "en", "America/St_Johns", "Jul 9 11:35 UTC-2:30"),
        (WINTER, "en", "America/St_Johns", "Mar 9 11:35 UTC-2:30"),
        (NEW_YEAR, "en", "America/St_Johns", "Dec 31 20:00 UTC-3:30"),
        (SUMMER, "en", "Pacific/Marquesas", "Jul 9 04:35 UTC-9:30"),
        (SUMMER, "en", "Pacific/Kiritimati", "Jul 10 04:05 UTC+14"),
    ],
)
def test_a_short_time_has_the_offset_that_held_then(value: datetime, locale: str, zone: str, expected: str) -> None:
    assert short_datetime(value, locale, zone) == expected


@pytest.mark.parametrize(
    ("value", "offset"),
    [("2026-01-01T00:00:00+00:00", "UTC"), ("2026-01-01T00:00:00-00:30", "UTC-0:30"), ("1900-01-01T00:00:00", "UTC")],
)
def test_an_offset(value: str, offset: str) -> None:
    assert utc_offset(datetime.fromisoformat(value)) == offset


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        ("0.25", "en", "0.25 BTC"),
        ("0.25", "sq", "0,25 BTC"),
        ("0.25", "nb", "0,25 BTC"),
        ("0.25", "ru", "0,25 BTC"),
        ("0.25", "sv", "0,25 BTC"),
        ("1234567.5", "en", "1,234,567.5 BTC"),
        ("1234567.5", "sq", "1 234 567,5 BTC"),
        ("1234567.5", "nb", "1 234 567,5 BTC"),
        ("1234567.5", "ru", "1 234 567,5 BTC"),
        ("1234567.5", "sv", "1 234 567,5 BTC"),
        ("0", "en", "0 BTC"),
        ("21000000", "en", "21,000,000 BTC"),
        ("0.000000000000000001", "en", "0.000000000000000001 BTC"),
        ("0.000000000000000001", "ru", "0,000000000000000001 BTC"),
        ("12345678901.123456789012345678", "en", "12,345,678,901.123456789012345678 BTC"),
        ("9" * 30 + "." + "9" * 18, "en", ",".join(["999"] * 10) + "." + "9" * 18 + " BTC"),
    ],
)
def test_an_amount_keeps_every_decimal_and_stays_on_one_line_where_it_can(
    value: str, locale: str, expected: str
) -> None:
    written = amount(Decimal(value), "BTC", locale)
    assert (" " in written) is (len(written) > 30)
    assert written.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize(
    ("locale", "text", "closed"),
    [
        ("ja", "終わりです。 次です。\n最後です。\n\n段落", "終わりです。次です。最後です。\n\n段落"),
        ("ja", "心当たりがない場合？\n次です。 3月9日", "心当たりがない場合？\n次です。3月9日"),
        ("zh_Hans", "请注意！ 链接：。 https://a.example", "请注意！链接：。 https://a.example"),
        ("en", "One. Two.", "One. Two."),
    ],
)
def test_sentences_follow_one_another_as_the_language_has_it(locale: str, text: str, closed: str) -> None:
    assert closed_up(text, locale) == closed
