"""Text that a stranger chose: carried, and harmless."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text import MAX_LENGTH, harmless


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Firefox 139 on Windows 11", "Firefox 139 on Windows 11"),
        ("Chrome 126.0.6478.61", "Chrome 126.0.6478.61"),
        ("Tiranë, Shqipëri", "Tiranë, Shqipëri"),
        ("Москва, 日本, تهران", "Москва, 日本, تهران"),
        ("J. R. Hartley", "J. R. Hartley"),
        ("e\u0301", "é"),
        # bidi overrides and isolates, zero-width, byte order mark, soft hyphen, tags, private use
        ("\u202egpj.exe\u202c", "gpj. exe"),
        ("\u2066a\u2067b\u2068c\u2069\u200e\u200f\u061c", "abc"),
        ("a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg", "abcdefg"),
        ("a\U000e0041\ue000b", "ab"),
        # controls and line ends of every kind
        ("a\0b\x1b[31mc\x7f\x9bd", "a b [31mc d"),
        ("a\r\nBcc: x\nb\u2028c\u2029d\x85e\x0bf\x0cg", "a Bcc: x b c d e f g"),
        ("\n.\r\n", "."),
        ("a\u00a0\u3000\u2003b \t c", "a b c"),
        ("q\u0301\u0302\u0303\u0304b\u0316\u0317\u0318", "q\u0301\u0302b\u0316\u0317"),
        # links
        ("evil.example", "evil. example"),
        ("www.evil.example/login", "www. evil. example/login"),
        ("https://evil.example/a?b", "https: //evil. example/a?b"),
        ("e\u200bvil.\u200bexample", "evil. example"),
        ("evilq\u0301.example", "evilq\u0301. example"),
        ("ftp:\u200b//10.0.0.1", "ftp: //10.0.0.1"),
        ("me@evil.example", "me@evil. example"),
        # what other programs would run is text
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("{{ 7*7 }} {% raw %} ${x} #{x}", "{{ 7*7 }} {% raw %} ${x} #{x}"),
        ("%s %(code)s {0} {code!r}", "%s %(code)s {0} {code!r}"),
        # of what is nothing but harm, something is left: a message that needs a text has one
        ("\u200b", "?"),
        ("\0\u202e \n", "?"),
    ],
)
def test_it_is_cleaned_of_what_could_forge_hide_or_link(value: str, expected: str) -> None:
    assert harmless(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "a" * 10**6,
        "a." * 500_000,
        "\u0301\u0323" * 500_000,
        "\u200b" * 10**6,
        "://" * 333_333,
        "\U0001f469\u200d" * 500_000,
    ],
)
def test_a_megabyte_is_cut_at_once(value: str) -> None:
    started = time.process_time()
    assert 0 < len(harmless(value)) <= MAX_LENGTH
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(("length", "ends"), [(119, "a"), (120, "a"), (121, "…")])
def test_a_cut_is_shown(length: int, ends: str) -> None:
    line = harmless("a" * length)
    assert (len(line), line[-1]) == (min(length, MAX_LENGTH), ends)


@given(st.text(st.characters()) | st.text("a.:/\u0301\u200b\u202e \u1100\u1161\u0345\u03b1\n", max_size=300))
def test_whatever_comes_one_harmless_line_goes_out_and_stays_as_it_is(value: str) -> None:
    line = harmless(value)
    assert 0 < len(line) <= MAX_LENGTH
    assert line == line.strip()
    assert "://" not in line
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    # The record that is read back is what was recorded.
    assert harmless(line) == line
