"""How each language is typeset: a locale comes in, its quotes, apostrophe, spaces and marks go out.

The usual quotes of Albanian, Norwegian, Russian, Swedish, Danish, Finnish, German, French, Spanish, Portuguese,
Italian, Dutch, Polish, Ukrainian, Turkish, Romanian, Greek, Arabic, Chinese and Japanese are CLDR's (`delimiters`);
of the other languages, and what is allowed besides, common usage. CLDR's inner quotes of Arabic begin with what is an
apostrophe too, and are left out. French spaces are the Imprimerie nationale's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

NO_BREAK = "\N{NO-BREAK SPACE}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
_APOSTROPHE = "’"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Typography:
    """`quotes` are the pairs that may stand, the usual first. `ends` says for an English mark which may stand for it.

    `before` are the marks that a no-break space goes before, `inside` says whether one goes inside the quotes.
    `opening` maps a mark to the one that opens its sentence; `joiners` are invisible characters that the script needs.
    """

    quotes: tuple[tuple[str, str], ...]
    apostrophes: str = _APOSTROPHE
    ends: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    inside: bool = False
    opening: Mapping[str, str] = field(default_factory=dict)
    joiners: str = ""


_SPANISH = {"?": "¿", "!": "¡"}
_CJK_ENDS = {".": "。.", "?": "？", "!": "！", ":": "：:", ",": "，、", "…": "…"}
_ARABIC_ENDS = {".": ".", "?": "؟", "!": "!", ":": ":", ",": "،"}
_INDIC_ENDS = {".": "।."}

# Quotation marks by language, pair after pair; outer ones first, then inner ones, then what is allowed besides.
_QUOTES: Mapping[str, str] = {
    "af": "“”‘’",
    "ar": "”“«»“”",
    "az": "“”‘’",
    "be": "«»„“",
    "bg": "„“‚‘’’",
    "bn": "“”‘’",
    "bs": "„”‘’",
    "ca": "«»“”‘’",
    "cs": "„“‚‘",
    "cy": "‘’“”",
    "da": "“”‘’””’’»«›‹„“",
    "de": "„“‚‘»«›‹",
    "de_CH": "«»‹›",
    "el": "«»“”",
    "en": "“”‘’",
    "es": "“”‘’«»",
    "et": "„“‚‘",
    "eu": "“”‘’«»",
    "fa": "«»‹›",
    "fi": "””’’»»",
    "fr": "«»“”‹›",
    "fr_CH": "«»‹›",
    "ga": "“”‘’",
    "gl": "«»“”‘’",
    "he": "””’’“”„”",
    "hi": "“”‘’",
    "hr": "„”‚’»«",
    "hu": "„”»«",
    "hy": "«»",
    "id": "“”‘’",
    "is": "„“‚‘",
    "it": "«»“”‘’",
    "ja": "「」『』",
    "ka": "„“«»",
    "kk": "“”«»",
    "ko": "“”‘’",
    "lt": "„“‚‘",
    "lv": "“”‘’„”",
    "mk": "„“‚‘",
    "ms": "“”‘’",
    "nb": "«»‘’",
    "nl": "‘’“”",
    "nn": "«»‘’",
    "pl": "„”«»‚’",
    "pt": "“”‘’",
    "pt_PT": "«»“”‘’",
    "ro": "„”«»",
    "ru": "«»„“",
    "sk": "„“‚‘",
    "sl": "„“‚‘»«",
    "sq": "«»“”‘’„“",
    "sr": "„”’’„“",
    "sv": "””’’»»",
    "sw": "“”‘’",
    "ta": "“”‘’",
    "th": "“”‘’",
    "tr": "“”‘’",
    "uk": "«»„““”",
    "ur": "”“",
    "uz": "“”",
    "vi": "“”‘’",
    "zh": "“”‘’",
    "zh_Hant": "「」『』",
}
# What differs from the rest: English marks at the ends, a straight apostrophe.
_RULES: Mapping[str, dict[str, object]] = {
    "ar": {"ends": _ARABIC_ENDS},
    "bn": {"ends": _INDIC_ENDS, "joiners": "\u200c\u200d"},
    "el": {"ends": {"?": ";\N{GREEK QUESTION MARK}", ";": "·\N{GREEK ANO TELEIA}"}},
    "es": {"opening": _SPANISH},
    "fa": {"ends": {"?": "؟", ",": "،", ";": "؛"}, "joiners": "\u200c"},
    "fr": {"before": ":;!?", "inside": True},
    "fr_CA": {"before": ":", "inside": True},
    "fr_CH": {"before": ":;!?", "inside": True},
    "he": {"apostrophes": "’'׳"},
    "hi": {"ends": _INDIC_ENDS, "joiners": "\u200c\u200d"},
    "hy": {"ends": {".": "։:", "?": "։:՞", "!": "։:՜", ":": "՝:`"}},
    "ja": {"ends": _CJK_ENDS},
    "ta": {"joiners": "\u200c\u200d"},
    "th": {"ends": {".": "", "?": "?", "!": "!", ":": ":"}},
    "uk": {"apostrophes": "’ʼ"},
    "ur": {"ends": {".": "۔", "?": "؟", ",": "،"}, "joiners": "\u200c"},
    "zh": {"ends": _CJK_ENDS},
    "zh_Hant": {"ends": _CJK_ENDS},
}


def by_locale(table: Mapping[str, Row], locale: str) -> Row | None:
    """The row of the locale, or of the longest beginning of it that has one: `pt_BR`, then `pt`."""
    parts = locale.split("_")
    names = ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((table[name] for name in names if name in table), None)


@cache
def typography(locale: str) -> Typography:
    """Of a language that is not listed: English quotes, and whatever marks its strings have."""
    marks = by_locale(_QUOTES, locale) or _QUOTES["en"]
    pairs = tuple((marks[i], marks[i + 1]) for i in range(0, len(marks), 2))
    return Typography(pairs, **(by_locale(_RULES, locale) or {}))  # type: ignore[arg-type]
