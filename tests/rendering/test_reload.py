"""A catalog that changes on disk: taken whole, or refused with the reason while the old one stays."""

import asyncio
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from notifier.assets import assets
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Renderer
from notifier.rendering.watch import warnings, watched
from tests.rendering.books import change, copied, path
from tests.rendering.conftest import VOICE, Compose
from tests.service import until

NOT_YOU = "Not you? %(url)s"
PLURAL = "This code works for %(minutes)s minute and only once."
QUICK = timedelta(milliseconds=20)


def said(catalogs: Catalogs, msgid: str = "IP address", locale: str = "sq") -> str:
    return catalogs.edition.catalog(locale).translations.gettext(msgid)


def test_what_has_changed_is_served_and_nothing_else_is_made_anew(tmp_path: Path) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq", "nb"))
    versions, norwegian = catalogs.versions, catalogs.edition.catalog("nb")
    change(tmp_path, "sq", "IP address", "Numri")
    assert said(catalogs) != "Numri"
    news = catalogs.reload()
    assert said(catalogs) == "Numri"
    assert (list(news.taken), news.gone, news.refused) == (["sq"], (), {})
    assert catalogs.versions["sq"] == news.taken["sq"] != versions["sq"]
    assert catalogs.versions["nb"] == versions["nb"]
    assert catalogs.edition.catalog("nb") is norwegian


@pytest.mark.parametrize(
    ("msgid", "string", "reason"),
    [
        (NOT_YOU, "Nuk ishit ju?", r"line \d+: needs the placeholders %\(url\)s"),
        (NOT_YOU, "%(url)s %(site)s", r"needs the placeholders %\(url\)s"),
        ("IP address", "Adresa IP %", "per cent sign"),
        ("IP address", "Adresa IP 100 %d", "per cent sign"),
        ("IP address", "<b>Adresa IP</b>", "adds markup"),
        ("IP address", "Adresa IP https://evil.example", "adds an address"),
        ("IP address", "Adresa IP evil.example", "adds an address"),
        ("IP address", "Adresa IP +355 69 123 4567", "adds an address"),
        ("IP address", "javascript:alert(1)", "adds an address"),
        ("IP address", "Adresa IP\u202e", "adds a character that cannot be seen"),
        (PLURAL, ("%(minutes)s minutë", "minuta"), r"needs the placeholders %\(minutes\)s"),
        (PLURAL, ("një %(minute)s", "%(minutes)s minuta"), r"needs the placeholders %\(minutes\)s"),
    ],
)
def test_what_would_break_a_message_is_refused_and_the_old_one_stays(
    tmp_path: Path, msgid: str, string: str | tuple[str, ...], reason: str
) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq", "nb"))
    version, before = catalogs.versions["sq"], said(catalogs)
    change(tmp_path, "sq", msgid, string)
    news = catalogs.reload()
    assert (catalogs.versions["sq"], said(catalogs)) == (version, before)
    assert news.taken == {}
    (told,) = news.refused["sq"]
    assert re.search(reason, told)
    assert warnings(catalogs)[0].startswith("the catalog sq is refused, what served before goes on serving: line ")
    # Mended, it is served, and nothing is said any more.
    shutil.copy(path(assets("locales"), "sq"), path(tmp_path, "sq"))
    catalogs.reload()
    assert warnings(catalogs) == []


def test_a_form_for_one_number_alone_may_say_it_in_words(tmp_path: Path) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq"))
    change(tmp_path, "sq", PLURAL, ("një minutë", "%(minutes)s minuta"))
    assert catalogs.reload().refused == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'msgid "IP address"\nmsgstr "Adresa IP', "line 2: the string is not closed"),
        (b'msgid "IP address"\nmsgid "Place"\nmsgstr ""\n', "line 1: cannot be read as a catalog"),
        (b"\xff\xfe\x00", "must be text in UTF-8"),
        (b'msgid ""\nmsgstr "Plural-Forms: nplurals=1; plural=0;\\n"\n', "nplurals must be at least 2"),
        (b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n;\\n"\n', "plural must give 0 to 1"),
        (b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=1/n;\\n"\n', "cannot be read as a catalog"),
        (b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n/;\\n"\n', "cannot be read as a catalog"),
    ],
)
def test_what_is_no_catalog_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq"))
    path(tmp_path, "sq").write_bytes(content)
    assert reason in " ".join(catalogs.reload().refused["sq"])
    assert said(catalogs) == "Adresa IP"


def test_at_the_start_nothing_stands_in_for_it_so_its_readers_get_the_default(tmp_path: Path) -> None:
    path(copied(tmp_path, "sq", "nb"), "sq").write_bytes(b"nothing")
    catalogs = Catalogs(tmp_path, "nb")
    choice = Renderer(assets("templates"), catalogs, VOICE).choose("sq", "login_succeeded", "email")
    assert (choice.locale, choice.reason) == ("nb", "incomplete")
    assert list(catalogs.reload().refused) == ["sq"]


def test_a_folder_of_no_language_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copytree(assets("locales") / "nb", tmp_path / "xx_Norsk")
    catalogs = Catalogs(tmp_path)
    assert catalogs.reload().refused == {"xx_Norsk": ("CLDR knows no locale of this name",)}
    assert catalogs.locales == ("en",)


def test_a_locale_that_goes_leaves_its_readers_the_default_but_the_default_stays(
    tmp_path: Path, compose_message: Compose
) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq", "nb"), "nb")
    by = Renderer(assets("templates"), catalogs, VOICE)
    shutil.rmtree(tmp_path / "sq")
    shutil.rmtree(tmp_path / "nb")
    news = catalogs.reload()
    assert (news.gone, list(news.refused)) == (("sq",), ["nb"])
    assert catalogs.locales == ("en", "nb")
    # Accepted in Albanian before that.
    assert 'lang="nb"' in compose_message("login_succeeded", "sq", "email", by=by).mail().html
    choice = by.choose("sq", "login_succeeded", "email")
    assert (choice.locale, choice.reason) == ("nb", "default")


def test_what_is_being_written_keeps_the_words_it_began_with(tmp_path: Path, compose_message: Compose) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq"))
    by = Renderer(assets("templates"), catalogs, VOICE)
    case, choice = (
        compose_message("login_succeeded", "sq", "email", by=by),
        by.choose("sq", "login_succeeded", "email"),
    )
    before = case.mail()
    change(tmp_path, "sq", "IP address", "Numri")
    change(tmp_path, "sq", "Successful sign-in", "Hyrje")
    catalogs.reload()
    assert by.mail(case.accepted, case.urls, case.code, choice) == before
    assert case.mail().subject == "[Northbank] Hyrje"
    assert "Numri:" in case.mail().text


async def test_a_running_process_takes_what_is_saved_and_tells_which_version_serves(tmp_path: Path) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq"))
    with capture_logs() as logs:
        async with watched(catalogs, QUICK):
            change(tmp_path, "sq", "IP address", "Numri")
            await until(lambda: said(catalogs) == "Numri")
            change(tmp_path, "sq", "IP address", "Numri %")
            await until(lambda: warnings(catalogs))
            assert said(catalogs) == "Numri"
            await until(lambda: [one for one in logs if one["event"] == "catalog_refused"])
    assert {"event": "catalog_serves", "log_level": "info", "locale": "sq", "version": catalogs.versions["sq"]} in logs
    (refused,) = [one for one in logs if one["event"] == "catalog_refused"]
    assert (refused["locale"], "per cent sign" in refused["reasons"][0]) == ("sq", True)


async def test_a_half_written_file_is_waited_for(tmp_path: Path) -> None:
    catalogs = Catalogs(copied(tmp_path, "sq"))
    content = path(tmp_path, "sq").read_bytes().replace(b'"Adresa IP"', b'"Numri"')
    with capture_logs() as logs:
        async with watched(catalogs, timedelta(milliseconds=100)):
            await until(lambda: [one for one in logs if one["event"] == "catalog_serves"])
            with path(tmp_path, "sq").open("wb") as file:
                for start in range(0, len(content), len(content) // 20):
                    file.write(content[start : start + len(content) // 20])
                    file.flush()
                    await asyncio.sleep(0.01)
            await until(lambda: said(catalogs) == "Numri")
    assert [one for one in logs if one["event"] == "catalog_refused"] == []


async def test_a_volume_whose_link_now_leads_elsewhere_is_seen(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: the file is a link, through a link that is put in place of another."""
    first, second = copied(tmp_path / "..first", "sq"), copied(tmp_path / "..second", "sq")
    change(second, "sq", "IP address", "Numri")
    (tmp_path / "..data").symlink_to(first)
    mounted = path(tmp_path / "locales", "sq")
    mounted.parent.mkdir(parents=True)
    mounted.symlink_to(path(tmp_path / "..data", "sq"))
    catalogs = Catalogs(tmp_path / "locales")
    async with watched(catalogs, QUICK):
        await until(lambda: said(catalogs) == "Adresa IP")
        (tmp_path / "..new").symlink_to(second)
        (tmp_path / "..new").rename(tmp_path / "..data")
        await until(lambda: said(catalogs) == "Numri")
