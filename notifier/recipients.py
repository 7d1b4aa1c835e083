"""Who a message goes to: a raw string comes in, a parsed `EmailAddress` or `PhoneNumber` goes out, or ValueError.

Parsed once, at the door; everything behind it may rely on exactly one address or number in canonical form.
"""

import re
import unicodedata
from typing import Annotated

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType
from pydantic import StringConstraints, WithJsonSchema

from notifier.checks import checked

# Numbers that cost the owner or the operator, or that reach no person's phone.
_REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}

_LONGEST_LOCAL = 64
_IDENTIFIER = {"Lu", "Ll", "Lo", "Lm", "Mn", "Mc", "Nd"}
# In a row of such categories: a mark upon what is no letter or digit, or three upon one another.
_MISPLACED_MARK = re.compile("(^|[^LMN].)M|(Mn){3}")
# Scripts by the first word of their letters' names, which is all that Python knows of them.
_WRITTEN_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "HANGUL"},
    {"LATIN", "CJK", "BOPOMOFO"},
)


def parse_email(value: str, *, international: bool = True) -> str:
    """One address, its domain in ASCII (RFC 5321, IDNA 2008); raises ValueError.

    An `international` one may have a local part beyond ASCII (RFC 6531), which comes out in NFC (RFC 6532 section 3.1).
    """
    wrong = ValueError("must be one e-mail address, such as name@example.com")
    try:
        parsed = validate_email(
            value,
            check_deliverability=False,
            allow_smtputf8=international,
            allow_quoted_local=False,
            allow_domain_literal=False,
            # The local part's length is not checked otherwise.
            strict=True,
            # Takes the reserved .test domain too, which staging systems use (RFC 2606).
            test_environment=True,
        )
    except EmailNotValidError:
        raise wrong from None
    local = parsed.local_part
    # A leading dash reads as an option to some mail programs' command lines. The length is in octets (RFC 5321 section
    # 4.5.3.1.1), whatever the script.
    if local.startswith("-") or len(local.encode()) > _LONGEST_LOCAL or not (local.isascii() or _is_identifier(local)):
        raise wrong
    return f"{local}@{parsed.ascii_domain}"


def _is_identifier(local: str) -> bool:
    """Letters, their marks and digits in one form and one script, as RFC 8264 section 4.2 and UTS 39's "highly
    restrictive" have it: what looks like another address, or like none, is none.
    """
    categories = [unicodedata.category(char) for char in local]
    scripts = {
        unicodedata.name(char, "").partition(" ")[0]
        for char, category in zip(local, categories, strict=True)
        if category in ("Lu", "Ll", "Lt", "Lo")
    }
    return (
        unicodedata.is_normalized("NFKC", local)
        and all(char.isascii() or category in _IDENTIFIER for char, category in zip(local, categories, strict=True))
        and (len(scripts) <= 1 or any(scripts <= together for together in _WRITTEN_TOGETHER))
        and not _MISPLACED_MARK.search("".join(categories))
    )


def parse_phone(value: str) -> str:
    """One number in E.164 form; raises ValueError.

    A *possible* number is enough: the ranges a country opens are in the metadata months late, and a wrong
    refusal here would be a lost alert. What costs money or reaches no phone is refused by type.
    """
    wrong = ValueError("must be one phone number in international form, such as +355691234567")
    if not value.startswith("+") or not value[1:].replace(" ", "").isdigit() or not value.isascii():
        raise wrong
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise wrong from None
    if not phonenumbers.is_possible_number(number):
        raise wrong
    if phonenumbers.region_code_for_country_code(number.country_code or 0) in ("001", "ZZ"):
        raise ValueError("must be a number of a country: satellite and network ranges are not served")
    if phonenumbers.number_type(number) in _REFUSED_TYPES:
        raise ValueError("must be a person's phone: premium-rate and service numbers are not served")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country(number: str) -> str:
    """The ISO 3166 code of an E.164 number's country."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


EmailAddress = Annotated[
    str,
    StringConstraints(max_length=254),
    checked(parse_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254, "examples": ["arta@example.com"]}),
]
PhoneNumber = Annotated[
    str,
    StringConstraints(max_length=32),
    checked(parse_phone),
    WithJsonSchema({"type": "string", "pattern": r"^\+[0-9 ]{1,31}$", "examples": ["+355691234567"]}),
]


def mask_email(address: str) -> str:
    """`anna@example.com` → `a•••@example.com`: enough for its owner to know it by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def mask_phone(number: str) -> str:
    """`+355691234567` → `+355•••67`."""
    return f"{number[:4]}•••{number[-2:]}"
