"""Tags as callers and browsers write them, and the locale that each is served."""

from pathlib import Path

import pytest

from notifier.assets import assets
from notifier.rendering.i18n import Catalogs, autonym, bcp47, direction

# None stands for the default.
TAGS: list[tuple[str | None, str | None]] = [
    ("en", "en"),
    ("no", "nb"),
    ("no_NO", "nb"),
    ("NB-no", "nb"),
    ("nn", "nb"),
    ("nn-NO", "nb"),
    ("nb_NO.UTF-8", "nb"),
    ("sv-FI", "sv"),
    ("RU", "ru"),
    ("ru-Cyrl-RU", "ru"),
    ("sq-XK", "sq"),
    ("sq_AL@latin", "sq"),
    ("en-GB", "en"),
    ("is", None),
    ("sqi", "sq"),
    ("nob-NO", "nb"),
    ("nor", "nb"),
    ("cy", None),
    ("th-TH", None),
    ("C", None),
    ("", None),
    (None, None),
    ("../../etc", None),
    ("..", None),
    ("/sq", None),
    ("x" * 1000, None),
    ("*", None),
    ("\x00sq", None),
    ("ش", None),
]


@pytest.mark.parametrize("default", ["en", "sq"])
@pytest.mark.parametrize(("tag", "served"), TAGS)
def test_a_tag_is_served_by_its_longest_prefix_or_the_default(
    tag: str | None, served: str | None, default: str
) -> None:
    assert Catalogs(assets("locales"), default).negotiate(tag) == (served or default)


@pytest.mark.parametrize(
    ("tag", "served"),
    [("pt_BR", "pt_BR"), ("PT-br", "pt_BR"), ("pt-BR-x-old", "pt_BR"), ("pt-PT", "pt"), ("pt", "pt")],
)
def test_a_regional_catalog_goes_before_its_language(tmp_path: Path, tag: str, served: str) -> None:
    for locale in ("pt", "pt_BR"):
        (tmp_path / locale / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / locale / "LC_MESSAGES" / "messages.po").touch()
    assert Catalogs(tmp_path).negotiate(tag) == served


@pytest.mark.parametrize(
    ("header", "served"),
    [
        ("sq", "sq"),
        ("sq-XK, ru", "sq"),
        ("en-US,en;q=0.9,sq;q=0.8", "en"),
        ("is, sv;q=0.5", "sv"),
        ("is;q=0.9, ru;q=0.1, sv;q=0.5", "sv"),
        ("en;q=0.1, nb-NO;q=0.8", "nb"),
        ("nn-NO,nn;q=0.9,en;q=0.8", "nb"),
        ("no", "nb"),
        ("ru;q=0.5, sv;q=0.5", "ru"),
        ("ru ; q=0.3 , sv ; q=0.7", "sv"),
        ("SV-fi;Q=0.8, ru;q=0.7", "sv"),
        ("ru;q=1.000, sv;q=0.001", "ru"),
        ("sq;q=0, ru;q=0.2", "ru"),
        ("sq;q=0.000", None),
        ("*", None),
        ("is, *;q=0.5", None),
        ("is", None),
        ("", None),
        (None, None),
        (",;,=,q", None),
        ("ru;q=abc, sv;q=0.1", "sv"),
        ("ru;q=nan, sv;q=0.1", "sv"),
        ("sv;q=0.1, ru;q=inf", "sv"),
        ("ru;q=-1, sv;q=0.1", "sv"),
        ("ru;q=2, sv;q=0.1", "sv"),
        ("../../etc, sv;q=0.1", "sv"),
        ("x" * 5000, None),
        ("is," * 67 + "sq", None),
        ("\x00", None),
    ],
)
@pytest.mark.parametrize("default", ["en", "nb"])
def test_a_browser_is_served_what_it_weighs_most(header: str | None, served: str | None, default: str) -> None:
    assert Catalogs(assets("locales"), default).edition.from_header(header) == (served or default)


def test_what_is_served_is_what_has_a_catalog(tmp_path: Path) -> None:
    shipped = "ar da de el en es fi fr it ja nb nl pl pt_BR ro ru sq sv tr uk zh_Hans"
    assert " ".join(Catalogs(assets("locales")).locales) == shipped
    assert Catalogs(tmp_path).locales == ("en",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("pt_BR", "pt_BR"), ("pt-BR", "pt_BR"), ("PT-br", "pt_BR"), ("zh-hans", "zh_Hans"), ("EN", "en")],
)
def test_a_default_is_a_folder_or_its_tag_in_any_casing(written: str, meant: str) -> None:
    assert Catalogs(assets("locales"), written).edition.default == meant


@pytest.mark.parametrize("default", ["is", "pt", "../sq", ""])
def test_a_default_without_a_catalog_is_refused_by_naming_those_there_are(default: str) -> None:
    with pytest.raises(ValueError, match=r"one of ar, da, de, .*, zh_Hans"):
        Catalogs(assets("locales"), default)


def test_a_catalog_is_read_from_its_po_and_english_needs_none(tmp_path: Path) -> None:
    shipped, bare = Catalogs(assets("locales")).edition, Catalogs(tmp_path).edition
    assert shipped.catalog("sq").translations.gettext("Deactivate my account") == "Çaktivizo llogarinë tënde"
    assert shipped.catalog("sq") is Catalogs(assets("locales")).edition.catalog("sq")
    assert bare.catalog("en").translations.gettext("Deactivate my account") == "Deactivate my account"


@pytest.mark.parametrize(
    ("locale", "tag", "text_direction", "name"),
    [
        ("en", "en", "ltr", "English"),
        ("sq", "sq", "ltr", "Shqip"),
        ("nb", "nb", "ltr", "Norsk bokmål"),
        ("ru", "ru", "ltr", "Русский"),
        ("sv", "sv", "ltr", "Svenska"),
        ("ar", "ar", "rtl", "العربية"),
        ("he", "he", "rtl", "עברית"),
        ("pt_BR", "pt-BR", "ltr", "Português (Brasil)"),
        ("zh_Hant", "zh-Hant", "ltr", "中文 (繁體)"),
    ],
)
def test_a_locale_names_itself(locale: str, tag: str, text_direction: str, name: str) -> None:
    assert (bcp47(locale), direction(locale), autonym(locale)) == (tag, text_direction, name)
