"""Mails written out by hand, read back with the standard library."""

from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.rendering.mime import MailText, assemble

DATE = datetime(2026, 3, 9, 14, 5, 6, tzinfo=UTC)
LETTER = MailText("Password reset", "Hello,\nbye.\n", "<p>Hello</p>\n")
RUSSIAN = "Ваш аккаунт деактивирован, и вывод средств остановлен"
ALBANIAN = "Çaktivizo llogarinë tënde"


def assembled(words: MailText = LETTER, **changed: str) -> bytes:
    given = {
        "sender": "Northbank <security@northbank.example>",
        "recipient": "arta@mail.example",
        "message_id": "<abc@northbank.example>",
        "language": "sq",
        "boundary": "=_abc",
    }
    return assemble(words, date=DATE, **given | changed)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def texts(content: bytes) -> tuple[str, str]:
    """What a mail program shows: the plain text, and the HTML."""
    plain, html = parsed(content).iter_parts()
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def test_the_headers() -> None:
    message = parsed(assembled())
    assert dict(message.items()) == {
        "From": "Northbank <security@northbank.example>",
        "To": "arta@mail.example",
        "Subject": "Password reset",
        "Date": "Mon, 09 Mar 2026 14:05:06 +0000",
        "Message-ID": "<abc@northbank.example>",
        "Content-Language": "sq",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_abc"',
    }


def test_plain_text_comes_before_html() -> None:
    # The last part that a program can show is the one it prefers (RFC 2046 section 5.1.4).
    types = [(part.get_content_type(), part.get_content_charset()) for part in parsed(assembled()).iter_parts()]
    assert types == [("text/plain", "utf-8"), ("text/html", "utf-8")]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "[Northbank] Password reset",
        "[Northbank] Reset " + "very " * 60 + "soon",
        "[Northbank] " + ALBANIAN,
        "[Northbank] " + " ".join([ALBANIAN] * 12),
        "[Северный банк] " + RUSSIAN,
        "[Северный банк] " + " ".join([RUSSIAN] * 6),
        "ё" * 200,
        "[Northbank] 😀😀 " + "😀" * 60,
        'quotes " \\ and (brackets), <angles>; semicolons: all',
        "=?utf-8?q?not_mine?= is not read as that",
        "[Northbank] =?utf-8?b?",
        "x" * 60,
        "x" * 66,
        "x" * 67,
        "x" * 500,
        "[Northbank] " + "x" * 2000,
        "مرحبا بكم " * 20,
    ],
)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    content = assembled(MailText(subject, "t", "h"))
    assert parsed(content)["Subject"] == subject
    assert_fits(content)


@pytest.mark.parametrize(
    "brand",
    [
        "Northbank",
        "Bank, Northern (Oslo)",
        'The "Bank"',
        "Ålesund Sparebank",
        "Северный банк",
        "Северный банк развития и реконструкции Архангельской области",
        "Northern " * 12 + "Bank",
        "北方銀行" * 12,
    ],
)
def test_a_brand_in_any_script(brand: str) -> None:
    quoted = brand.replace("\\", "\\\\").replace('"', '\\"')
    content = assembled(sender=f'"{quoted}" <security@northbank.example>')
    # By the older parser: the newer one puts a blank between two encoded words of a name, against RFC 2047 section 6.2.
    name, address = parseaddr(message_from_bytes(content)["From"])
    assert (str(make_header(decode_header(name))), address) == (brand, "security@northbank.example")
    assert_fits(content)


def test_a_sender_may_be_an_address_alone() -> None:
    assert parsed(assembled(sender="security@northbank.example"))["From"] == "security@northbank.example"


BODIES = {
    "plain": "Hello\n\nbye",
    "dots": ".\n..\n.hidden\na.\n.",
    "one lone dot": ".",
    "albanian": f"{ALBANIAN}\n{ALBANIAN} =3D = =\n",
    "cyrillic": f"{RUSSIAN}\n.\n{RUSSIAN * 40}",
    "emoji": "😀" * 500,
    "long line": "word " * 1000,
    "long word": "x" * 5000,
    "long line of equals": "=" * 400,
    "long line with an accent": "në llogarinë tënde, " * 200,
    "trailing blanks": "a \nb\t\n \nc ",
    "empty lines inside": "a\n\n\n\nb",
    "from at the start": "From here on\nFrom there",
    "boundary": "--=_abc\n--=_abc--\n",
    "headers": "Subject: not mine\n\nBcc: all@example.com",
    "template and percent": "{{ 7*7 }} %(x)s 100 %",
    "empty": "",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_text_is_read_as_it_was_written(body: str) -> None:
    html = f"<p>{body}</p>"
    content = assembled(MailText("s", body, html))
    assert texts(content) == (body.strip("\n"), html)
    assert_fits(content)
    assert content.count(b"\r\n--=_abc") == 3


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_line_begins_with_a_dot_alone(body: str) -> None:
    # Relays that forget to stuff dots would end the mail there.
    assert b"\r\n.\r\n" not in assembled(MailText("s", body, body))


# What texts are made of in earnest, and what they should not be; one character more often than a strategy would.
LETTERS = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from(" \r\t\n\n.=-_?<>&\x00\x0b\x0c\x7f\x85\xa0\u00ad\u200b\u200f\u2028\u202e\ufeffёعא😀"),
)
WORDS = st.one_of(
    st.text(LETTERS, max_size=200), st.text("x", max_size=1200), st.sampled_from([".", "..", ". ", "\n.\n"])
)
TEXTS = st.lists(WORDS, max_size=12).map("".join)


@given(text=TEXTS, html=TEXTS)
@example(text="", html="\r")
@example(text="a\r\nb\rc", html="\r\r\n")
@settings(max_examples=300)
def test_any_text_is_read_as_it_was_written(text: str, html: str) -> None:
    content = assembled(MailText("s", text, html))
    assert texts(content) == (text.strip("\n"), html.strip("\n"))
    assert_fits(content)
    assert b"\r\n.\r\n" not in content
    # Nothing at a line's end that a relay may take away.
    assert b" \r\n" not in content
    assert b"\t\r\n" not in content


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200))
@settings(max_examples=300)
def test_any_subject_is_read_as_it_was_written(text: str) -> None:
    content = assembled(MailText(text, "t", "h"))
    # By the older parser, which keeps blanks as they are.
    read = message_from_bytes(content)["Subject"]
    assert str(make_header(decode_header(read))).strip() == text.strip()
    assert_fits(content)


def test_an_address_beyond_ascii_is_raw_and_nothing_else_is() -> None:
    content = assembled(
        MailText("[Северный банк] " + RUSSIAN, RUSSIAN, f"<p>{ALBANIAN}</p>"),
        sender="Северный банк <security@northbank.example>",
        recipient="ёлка@xn--e1afmkfd.xn--p1ai",
    )
    (line,) = [line for line in content.split(b"\r\n") if not line.isascii()]
    assert line == "To: ёлка@xn--e1afmkfd.xn--p1ai".encode()
    (address,) = message_from_string(content.decode(), policy=policy.SMTPUTF8)["To"].addresses
    assert address.username == "ёлка"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("Hello", "quoted-printable"),
        ("Ky është kodi juaj i verifikimit. " * 20, "quoted-printable"),
        (RUSSIAN * 20, "base64"),
        ("مرحبا بكم" * 20, "base64"),
        ("a" * 81 + "ё" * 10, "quoted-printable"),
        ("a" * 79 + "ё" * 10, "base64"),
    ],
)
def test_the_shorter_encoding_is_taken(body: str, encoding: str) -> None:
    parts = list(parsed(assembled(MailText("s", body, body))).iter_parts())
    assert [part["Content-Transfer-Encoding"] for part in parts] == [encoding] * 2


def test_the_same_words_are_the_same_bytes() -> None:
    words = MailText("[Northbank] " + RUSSIAN, RUSSIAN, f"<p>{ALBANIAN}</p>")
    assert assembled(words) == assembled(words)


def assert_fits(content: bytes) -> None:
    """In lines that no relay needs to wrap (RFC 5322 section 2.1.1), with nothing but CRLF between them."""
    assert content.isascii()
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert max(map(len, lines)) <= 78
