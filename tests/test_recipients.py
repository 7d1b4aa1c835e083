"""Addresses and numbers: exactly one in canonical form, or refused in words that repeat nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.recipients import mask_email, mask_phone, parse_email, parse_phone


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("anna@example.com", "anna@example.com"),
        ("Anna.Maria+tag@EXAMPLE.com", "Anna.Maria+tag@example.com"),
        ("o'neill_1@mail.example.co.uk", "o'neill_1@mail.example.co.uk"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@пример.рф", "anna@xn--e1afmkfd.xn--p1ai"),
        ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("anna@staging.test", "anna@staging.test"),
    ],
)
def test_one_address_is_taken(value: str, parsed: str) -> None:
    assert parse_email(value) == parsed
    assert parse_email(parsed) == parsed


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("änna@example.com", "änna@example.com"),
        ("Ёлка.7@пример.рф", "Ёлка.7@xn--e1afmkfd.xn--p1ai"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("山田たろう@example.jp", "山田たろう@example.jp"),
        ("yamada.太郎@example.jp", "yamada.太郎@example.jp"),
        ("한국@example.kr", "한국@example.kr"),
        ("मेल@डाटामेल.भारत", "मेल@xn--c2bd4bq1db8d.xn--h2brj9c"),
        ("ทดสอบ@example.com", "ทดสอบ@example.com"),
        ("مثال@example.com", "مثال@example.com"),
        ("אבג7@example.com", "אבג7@example.com"),
        ("tiếng.việt@example.vn", "tiếng.việt@example.vn"),
        ("çaktivizo+ë@EXAMPLE.com", "çaktivizo+ë@example.com"),
        ("ä" * 32 + "@example.com", "ä" * 32 + "@example.com"),
    ],
)
def test_an_address_may_be_in_any_script(value: str, parsed: str) -> None:
    assert parse_email(value) == parsed
    assert parse_email(parsed) == parsed
    with pytest.raises(ValueError, match=r"^must be one e-mail address"):
        parse_email(value, international=False)


@pytest.mark.parametrize(
    ("decomposed", "composed"),
    [
        ("a\u0308nna@example.com", "\u00e4nna@example.com"),
        ("\u212bke@example.com", "\u00c5ke@example.com"),
        ("\u1112\u1161\u11ab@example.kr", "\ud55c@example.kr"),
        ("\u212aelvin@example.com", "Kelvin@example.com"),
    ],
)
def test_an_address_has_one_form(decomposed: str, composed: str) -> None:
    assert parse_email(decomposed) == composed


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.sampled_from(["example.com", "пример.рф", "a"]))
def test_whatever_is_taken_is_one_word_in_one_form(local: str, domain: str) -> None:
    try:
        parsed = parse_email(f"{local}@{domain}")
    except ValueError:
        return
    assert parse_email(parsed) == parsed
    name, at, host = parsed.rpartition("@")
    assert at
    assert host.isascii()
    assert len(name.encode()) <= 64
    assert not set(name) & set(' ,:;<>()[]"\\@')
    assert all(char.isprintable() for char in name)
    assert unicodedata.normalize("NFKC", name) == name


def test_a_homograph_is_shown_as_what_it_is() -> None:
    assert parse_email("anna@\u0430pple.com") == "anna@xn--pple-43d.com"


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "anna",
        "@example.com",
        "anna@",
        "anna@example",
        "anna@@example.com",
        "anna@example.com\r\nBcc: eve@example.com",
        "anna@example.com\nBcc: eve@example.com",
        "anna\r\n@example.com",
        "anna@example.com\0",
        "anna@example.com,eve@example.com",
        "anna@example.com;eve@example.com",
        "anna@example.com eve@example.com",
        "Anna <anna@example.com>",
        "<anna@example.com>",
        "anna@[127.0.0.1]",
        "anna@[IPv6:::1]",
        "anna@127.0.0.1",
        "a" * 65 + "@example.com",
        "anna@" + "a" * 64 + ".com",
        "anna@" + "a." * 130 + "com",
        '"anna"@example.com',
        '"anna eve"@example.com',
        "-anna@example.com",
        "-oQ/tmp@example.com",
        "anna@-example.com",
        "anna@exa_mple.com",
        ".anna@example.com",
        "anna..eve@example.com",
        "\u0430nna@example.com",  # a Cyrillic letter among Latin ones
        "\u03bfle@example.com",  # a Greek one
        "anna.\u05d0\u05d1@example.com",
        "\uff41nna@example.com",
        "\U0001d4b6nna@example.com",
        "\ufb01n@example.com",
        "\u2170@example.com",
        "😀@example.com",
        "änna\u200b@example.com",
        "än\u200dna@example.com",
        "än\u00adna@example.com",
        "\u2066änna\u2069@example.com",
        "ä\u202enna@example.com",
        "ä\u0000nna@example.com",
        "ä\u0085nna@example.com",
        "ä\u2028nna@example.com",
        "ä\u00a0nna@example.com",
        "ä\u3002nna@example.com",
        "ä\u00b7nna@example.com",
        "ä\ue000nna@example.com",
        "ä\U000e0041nna@example.com",
        "ä\ud800nna@example.com",
        "\u0308änna@example.com",
        "ä\u0301\u0302\u0303\u0304nna@example.com",
        "ä.\u0308@example.com",
        "-änna@example.com",
        "änna..ä@example.com",
        "ä" * 33 + "@example.com",
        '"änna"@example.com',
        "änna@example.com\r\nBcc: eve@example.com",
        "änna@example.com,eve@example.com",
        "anna@ex\u200bample.com",
        "anna\u202e@example.com",
        "anna@example.com.",
        "anna(comment)@example.com",
        "anna%eve@[example.com",
        "mailto:anna@example.com",
    ],
)
def test_anything_else_is_no_address(value: str) -> None:
    with pytest.raises(ValueError, match=r"^must be one e-mail address, such as name@example\.com$"):
        parse_email(value)


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("+355691234567", "+355691234567"),
        ("+355 69 123 4567", "+355691234567"),
        ("+4791234567", "+4791234567"),
        ("+46701234567", "+46701234567"),
        ("+79161234567", "+79161234567"),
        ("+12025550123", "+12025550123"),
        ("+447911123456", "+447911123456"),
    ],
)
def test_one_number_is_taken(value: str, parsed: str) -> None:
    assert parse_phone(value) == parsed
    assert parse_phone(parsed) == parsed


@pytest.mark.parametrize(
    "value",
    [
        "",
        "+",
        "+ ",
        "355691234567",
        "00355691234567",
        "0691234567",
        "++355691234567",
        "+355691234567,+355691234568",
        "+355691234567;ext=5",
        "+355691234567 ext. 5",
        "+355691234567x5",
        "tel:+355691234567",
        "whatsapp:+355691234567",
        "+1234567890123456",
        "+35569123456789012",
        "+3556",
        "+112",
        "+1911",
        "+355-69-1234567",
        "+355691234567\n",
        "+355691234567\0",
        "+\u0663\u0665\u0665\u0666\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "+3556９1234567",
        "+1-800-FLOWERS",
        "+999123456789",
    ],
)
def test_anything_else_is_no_number(value: str) -> None:
    with pytest.raises(
        ValueError, match=r"^must be (one phone number .*, such as \+355691234567|a number of a country: .*)$"
    ):
        parse_phone(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("+19005550123", "premium"),
        ("+449098790000", "premium"),
        ("+881612345678", "satellite"),
        ("+870773111632", "satellite"),
        ("+88213123456", "satellite"),
        ("+80012345678", "satellite"),
        ("+979123456789", "satellite"),
    ],
)
def test_numbers_that_cost_or_reach_no_person_are_refused(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_phone(value)


def test_a_mask_shows_its_owner_enough_and_others_little() -> None:
    assert mask_email("anna@example.com") == "a•••@example.com"
    assert mask_phone("+355691234567") == "+355•••67"
