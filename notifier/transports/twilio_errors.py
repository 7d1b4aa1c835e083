"""What Twilio's errors mean for us: a code and an HTTP status come in, a `Meaning` goes out. The one table of them.

Source: https://www.twilio.com/docs/api/errors. The API answers with codes of 1xxxx and 2xxxx mostly, status callbacks
tell those of 3xxxx. Twilio adds codes and splits them: one that does not stand here goes by its HTTP status.
"""

from enum import Enum


class Meaning(Enum):
    """What an error says."""

    DEAD = "nothing sent to this number will arrive"
    NEVER = "this message will not be taken, here or elsewhere"
    LATER = "the number or its network does not take it now"
    SENDER = "this account may not send this one; another may"
    ACCOUNT = "this account sends nothing now; another may"
    UNCLEAR = "it may have been taken"


TABLE: dict[int, Meaning] = {
    21211: Meaning.DEAD,  # not a phone number
    21217: Meaning.DEAD,  # the same
    21265: Meaning.DEAD,  # a short code
    21268: Meaning.DEAD,  # a premium or information service
    # Its owner has said STOP. Nothing is taken until they say START, which we do not learn of; and another account's
    # number would go round their word.
    21610: Meaning.DEAD,
    21614: Meaning.DEAD,  # not a mobile number
    21635: Meaning.DEAD,  # a landline
    30005: Meaning.DEAD,  # unknown, or no longer in service
    30006: Meaning.DEAD,  # a landline, or of a carrier that nobody reaches
    21266: Meaning.NEVER,  # the sender's own number
    21602: Meaning.NEVER,  # no body
    21604: Meaning.NEVER,  # no recipient
    21605: Meaning.NEVER,  # body too long
    21617: Meaning.NEVER,  # the same
    21619: Meaning.NEVER,  # no body
    21624: Meaning.NEVER,  # validity period out of range
    30004: Meaning.NEVER,  # blocked, by the carrier or the owner
    30007: Meaning.NEVER,  # filtered, for what it says
    30010: Meaning.NEVER,  # dearer than the highest price
    30019: Meaning.NEVER,  # too long for the carrier
    30036: Meaning.NEVER,  # validity period over
    30038: Meaning.NEVER,  # filtered, for the code in it
    30045: Meaning.NEVER,  # validity period out of range
    90007: Meaning.NEVER,  # the same
    14107: Meaning.LATER,  # too many between two numbers
    30001: Meaning.LATER,  # the sender's queue overflows
    30003: Meaning.LATER,  # phone off, or without service
    30008: Meaning.LATER,  # the carrier does not say why
    30017: Meaning.LATER,  # carrier congested
    30022: Meaning.LATER,  # carrier's rate exceeded
    30023: Meaning.LATER,  # carrier's daily cap reached
    30410: Meaning.LATER,  # carrier timed out
    # Taken for a fraud that runs up costs, for half an hour or some hours; another account would go round that.
    30450: Meaning.LATER,
    30453: Meaning.LATER,
    10002: Meaning.SENDER,  # not on a trial account
    21212: Meaning.SENDER,  # not a sender
    21267: Meaning.SENDER,  # alphanumeric sender on a trial account
    21401: Meaning.SENDER,  # sender not made for SMS
    21408: Meaning.SENDER,  # country not enabled
    21601: Meaning.SENDER,  # sender not made for SMS
    21603: Meaning.SENDER,  # no sender
    21606: Meaning.SENDER,  # sender not of the account, or not for this country
    21608: Meaning.SENDER,  # a trial account sends to its own numbers only
    21612: Meaning.SENDER,  # no way from this sender to that number
    21657: Meaning.SENDER,  # sender not supported there
    21659: Meaning.SENDER,  # sender not of Twilio, or a short code of another country
    21660: Meaning.SENDER,  # sender of another account
    21661: Meaning.SENDER,  # sender not made for SMS
    21703: Meaning.SENDER,  # messaging service without a fitting sender
    21704: Meaning.SENDER,  # messaging service without senders
    30018: Meaning.SENDER,  # sender must be registered with the carrier
    30024: Meaning.SENDER,  # sender not provisioned with the carrier
    30032: Meaning.SENDER,  # toll-free sender not verified
    30033: Meaning.SENDER,  # campaign suspended
    30034: Meaning.SENDER,  # sender not registered for a campaign
    30035: Meaning.SENDER,  # sender being registered
    30040: Meaning.SENDER,  # sender must be registered in this country
    30041: Meaning.SENDER,  # the same
    30042: Meaning.SENDER,  # sender's name blocked as too general
    10001: Meaning.ACCOUNT,  # not active
    20003: Meaning.ACCOUNT,  # wrong token, or suspended
    20005: Meaning.ACCOUNT,  # not active
    20006: Meaning.ACCOUNT,  # no access
    20008: Meaning.ACCOUNT,  # test credentials
    20403: Meaning.ACCOUNT,  # forbidden
    20404: Meaning.ACCOUNT,  # no such account
    20429: Meaning.ACCOUNT,  # too many requests; such a one was not processed
    20500: Meaning.ACCOUNT,  # internal error
    20503: Meaning.ACCOUNT,  # not available
    21609: Meaning.ACCOUNT,  # our public URL is not one that Twilio reaches
    21611: Meaning.ACCOUNT,  # ten hours of messages queue for this sender
    21701: Meaning.ACCOUNT,  # no such messaging service
    21705: Meaning.ACCOUNT,  # messaging service's id is none
    30002: Meaning.ACCOUNT,  # suspended
    30127: Meaning.ACCOUNT,  # messaging service's id is none
    60728: Meaning.ACCOUNT,  # hourly limit reached
    63017: Meaning.ACCOUNT,  # too many a second
    63038: Meaning.ACCOUNT,  # daily limit reached
}

_MOST_DIGITS = 6
# A gateway gave up waiting for who stands behind it.
_GATEWAY_TIMEOUT = 504
# These say something about the account or the way to it, whatever their code.
_REFUSES_ALL = (401, 403, 404, 408, 425, 429)


def code_of(value: object) -> int | None:
    """A code as JSON or a form has it; None for anything else in its place."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def meaning(code: int | None, status: int) -> Meaning:
    """By the code, else by the status. An answer without a code is some proxy's, and says nothing about the message."""
    if code in TABLE:
        return TABLE[code]
    if status == _GATEWAY_TIMEOUT:
        return Meaning.UNCLEAR
    if code is None or status in _REFUSES_ALL or not 400 <= status < 500:
        return Meaning.ACCOUNT
    return Meaning.NEVER
