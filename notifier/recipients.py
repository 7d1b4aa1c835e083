"""Who a message goes to: a raw string comes in, a parsed `EmailAddress` or `PhoneNumber` goes out, or ValueError.

Parsed once, at the door; everything behind it may rely on exactly one address or number in canonical form.
"""

from typing import Annotated

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType
from pydantic import AfterValidator, StringConstraints

# Numbers that cost the owner or the operator, or that reach no person's phone.
_REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}


def parse_email(value: str) -> str:
    """One address as RFC 5321 has it, its domain in ASCII (IDNA 2008); raises ValueError."""
    try:
        parsed = validate_email(
            value,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            # The local part has at most 64 characters (RFC 5321 section 4.5.3.1.1); not checked otherwise.
            strict=True,
            # Takes the reserved .test domain too, which staging systems use (RFC 2606).
            test_environment=True,
        )
    except EmailNotValidError:
        raise ValueError("must be one e-mail address, such as name@example.com") from None
    if parsed.ascii_email is None or parsed.local_part.startswith("-"):
        # A leading dash reads as an option to some mail programs' command lines.
        raise ValueError("must be one e-mail address, such as name@example.com")
    return parsed.ascii_email


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


EmailAddress = Annotated[str, StringConstraints(max_length=254), AfterValidator(parse_email)]
PhoneNumber = Annotated[str, StringConstraints(max_length=32), AfterValidator(parse_phone)]


def mask_email(address: str) -> str:
    """`anna@example.com` → `a•••@example.com`: enough for its owner to know it by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def mask_phone(number: str) -> str:
    """`+355691234567` → `+355•••67`."""
    return f"{number[:4]}•••{number[-2:]}"
