"""Letters that force UCS-2, and the spellings that a language's readers are used to."""

import pytest

from notifier.catalogs.gsm import spelled
from notifier.rendering.segments import outside


@pytest.mark.parametrize(
    ("locale", "text", "plain"),
    [
        ("sq", "Çaktivizo këtë", "Çaktivizo kete"),
        ("sq", "çelësi", "celesi"),
        ("pl", "Żądanie łączne", "Zadanie laczne"),
        ("tr", "İşlem", "Islem"),
        ("tr", "Kodu girin", None),
        ("fr", "été à Noël", "été à Noel"),
        ("fr", "l’œuvre", "l'oeuvre"),
        ("pt_BR", "ação", "acao"),
        ("ro", "șase", "sase"),
        ("hu", "őr", "ör"),
        ("nb", "én lenke på", None),
        ("nb", "på «siden» – nå", 'på "siden" - nå'),
        # A letter that is one: Russian, Greek and Arabic stay as they are.
        ("ru", "Код", None),
        ("el", "Κωδικός", None),
        ("ar", "رمز", None),
        ("is", "þú", None),
    ],
)
def test_a_spelling_is_offered_where_it_is_used(locale: str, text: str, plain: str | None) -> None:
    assert spelled(text, locale) == plain
    assert plain is None or not outside(plain)
