"""What an SMS costs by its letters: a text comes in, the letters that force UCS-2 and a spelling without them go out.

Only where the language's readers take such a spelling for granted in an SMS (as banks and telephone companies there
write them). Elsewhere a letter is what it is, and the text costs what it costs.
"""

from collections.abc import Mapping
from functools import cache

from notifier.catalogs.typography import by_locale
from notifier.rendering.segments import outside

# Everywhere: these differ in looks alone.
_MARKS: Mapping[str, str] = {
    "’": "'",
    "‘": "'",
    "‚": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "–": "-",
    "—": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "…": "...",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
}
# By language: what is written for the letters that GSM-7 lacks; both cases are made of the small one.
_LETTERS: Mapping[str, Mapping[str, str]] = {
    "bs": {"č": "c", "ć": "c", "š": "s", "ž": "z", "đ": "dj"},
    "ca": {"á": "a", "í": "i", "ï": "i", "ó": "o", "ú": "u", "ç": "c"},
    "cs": dict(zip("áčďéěíňóřšťúůýž", "acdeeinorstuuyz", strict=True)),
    "es": {"á": "a", "í": "i", "ó": "o", "ú": "u"},
    "et": {"õ": "o", "š": "s", "ž": "z"},
    "fr": {**dict(zip("âêëîïôûüÿç", "aeeiiouuyc", strict=True)), "œ": "oe", "æ": "ae"},
    "hr": {"č": "c", "ć": "c", "š": "s", "ž": "z", "đ": "d"},
    "hu": {"á": "a", "í": "i", "ó": "o", "ú": "u", "ő": "ö", "ű": "ü"},
    "it": {"á": "à", "í": "ì", "ó": "ò", "ú": "ù"},
    "lt": dict(zip("ąčęėįšųūž", "aceeisuuz", strict=True)),
    "lv": dict(zip("āčēģīķļņšūž", "acegiklnsuz", strict=True)),
    "nl": {"ë": "e", "ï": "i", "ê": "e", "ó": "o", "á": "a"},
    "pl": dict(zip("ąćęłńóśźż", "acelnoszz", strict=True)),
    "pt": dict(zip("áâãçêíóôõú", "aaaceiooou", strict=True)),
    "ro": dict(zip("ăâîșțşţ", "aaistst", strict=True)),
    "sk": dict(zip("áčďíĺľňóôŕšťúýž", "acdillnoorstuyz", strict=True)),
    "sl": {"č": "c", "š": "s", "ž": "z"},
    "sq": {"ë": "e", "ç": "c"},
    "sr_Latn": {"č": "c", "ć": "c", "š": "s", "ž": "z", "đ": "dj"},
    "tr": {"ç": "c", "ğ": "g", "ı": "i", "ş": "s", "İ": "I", "â": "a", "î": "i", "û": "u"},
}


@cache
def _table(locale: str) -> dict[int, str]:
    letters = by_locale(_LETTERS, locale) or {}
    both = {**{letter.upper(): plain.capitalize() for letter, plain in letters.items()}, **letters}
    # What GSM-7 has anyway stays (é in French, Ç as a capital).
    return {ord(char): plain for char, plain in {**_MARKS, **both}.items() if outside(char) and len(char) == 1}


def spelled(text: str, locale: str) -> str | None:
    """The text in GSM-7, None where it is already or the language has no such spelling."""
    plain = text.translate(_table(locale))
    return plain if plain != text and not outside(plain) else None
