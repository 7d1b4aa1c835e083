"""The pseudo-language: longer, accented, and with everything in it that must not change."""

import gettext
import re

import pytest
from babel.messages.pofile import read_po

from notifier.assets import assets
from notifier.rendering.pseudo import PseudoTranslations, pseudo

_KEPT = re.compile(r"%\(\w+\)s|%%|<[^>]*>|https?://\S+")


def test_every_string_keeps_its_placeholders_and_grows() -> None:
    with (assets("locales") / "messages.pot").open("rb") as file:
        texts = [str(message.id[0] if isinstance(message.id, tuple) else message.id) for message in read_po(file)]
    for text in filter(None, texts):
        made = pseudo(text)
        assert _KEPT.findall(made) == _KEPT.findall(text)
        assert not re.search("[A-Za-z]", _KEPT.sub("", made).replace("w", ""))
        words = len(_KEPT.sub("", text))
        assert 1.2 * words <= len(_KEPT.sub("", made)) <= 1.7 * words + 12


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", ""),
        (" ", " "),
        ("Time", "⟦Ţîɱé öñé⟧"),
        (" Time ", " ⟦Ţîɱé öñé⟧ "),
        ("50 %% <b>off</b>", "⟦50 %% <b>öƒƒ</b> öñé⟧"),
    ],
)
def test_its_looks(text: str, made: str) -> None:
    assert pseudo(text) == made


def test_it_is_a_catalog_like_any_other() -> None:
    translations: gettext.NullTranslations = PseudoTranslations()
    assert translations.ngettext("%(n)s day", "%(n)s days", 1).startswith("⟦%(n)s ðåý ")
    assert translations.npgettext("c", "%(n)s day", "%(n)s days", 2).startswith("⟦%(n)s ðåýš ")
    assert translations.pgettext("c", "Fee") == translations.gettext("Fee") == pseudo("Fee")
    mirrored = PseudoTranslations(mirrored=True).gettext("Fee")
    assert (mirrored[0], mirrored[-1]) == ("\u202b", "\u202c")
