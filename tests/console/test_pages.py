"""The preview pages: what each shows and marks, where it leads, and what it keeps out."""

import io
import re
import zipfile
from html import unescape
from pathlib import Path

import httpx
import pytest

from notifier.app import create_app
from notifier.catalogs.variants import variants
from notifier.config import Settings
from notifier.notices import NOTICES
from tests.console.conftest import LOCALES
from tests.rendering.books import change, path

GENUINE = "Is this message genuine?"
NOT_YOU = "Not you? %(url)s"
MARK = re.compile(r"<mark[^>]*>(.*?)</mark>")


async def shown(web: httpx.AsyncClient, address: str) -> str:
    answer = await web.get(address)
    assert answer.status_code == 200, address
    return unescape(answer.text)


async def test_every_link_between_the_pages_leads_somewhere(web: httpx.AsyncClient) -> None:
    seen, waiting = set[str](), ["/preview"]
    # One notice stands for all, and one locale: the others have the same templates.
    followed = re.compile(r"/preview(?:/static/.*|/sq(?:/(?:catalog|version|login_succeeded.*|pages/\w+)?)?)?")
    while waiting:
        address = waiting.pop()
        answer = await web.get(address)
        assert answer.status_code == 200, address
        if answer.headers["content-type"].startswith("text/html"):
            found = {unescape(link).partition("#")[0] for link in re.findall(r'(?:href|src)="(/[^"]*)"', answer.text)}
            waiting += [link for link in found - seen if followed.fullmatch(link)]
            seen |= found
    assert {f"/preview/sq/{notice}/sms" for notice in NOTICES} <= seen
    assert {"/preview/sq/pages/confirm", "/preview/sq/catalog", "/preview/en_XA", "/preview/ar_XB"} <= seen


@pytest.mark.parametrize(
    "address",
    [
        "/preview/xx",
        "/preview/..%2F..",
        "/preview/sq/nothing",
        "/preview/sq/login_succeeded/pdf",
        "/preview/sq/pages/layout",
        "/preview/sq?upload=unknown",
        "/preview/static/pages.py",
        "/preview/sq/..%2F..%2F/html",
    ],
)
async def test_what_is_not_there_is_not_found(web: httpx.AsyncClient, address: str) -> None:
    assert (await web.get(address)).status_code == 404


async def test_what_is_not_translated_is_marked_in_every_form(web: httpx.AsyncClient, locales: Path) -> None:
    for msgid in (GENUINE, NOT_YOU):
        change(locales, "sq", msgid, "")
    notice = await shown(web, "/preview/sq/login_succeeded")
    assert MARK.findall(notice)[0] == GENUINE
    assert MARK.findall(notice)[1].startswith("Not you? https://")
    framed = await shown(web, "/preview/sq/login_succeeded/html?frame=1")
    assert MARK.findall(framed) == [GENUINE]
    assert MARK.findall(await shown(web, "/preview/en/login_succeeded/html?frame=1")) == []
    assert "2 not translated" in await shown(web, "/preview/sq")
    assert "2 missing" in await shown(web, "/preview")
    # In a title no element may stand; and nothing of the marks is counted, or packed.
    change(locales, "sq", "Successful sign-in", "")
    framed = await shown(web, "/preview/sq/login_succeeded/html?frame=1")
    assert "<title>Successful sign-in</title>" in framed
    assert not re.search("[\ue000\ue001]", framed + await shown(web, "/preview/sq/login_succeeded"))
    assert f"{len('[Northbank] Successful sign-in')} characters" in await shown(web, "/preview/sq/login_succeeded")


async def test_a_string_leads_to_its_line_and_back(web: httpx.AsyncClient, locales: Path) -> None:
    notice = await shown(web, "/preview/sq/login_succeeded")
    lines = path(locales, "sq").read_text("utf-8").splitlines()
    numbers = [int(number) for number in re.findall(r'href="/preview/sq/catalog#L(\d+)"', notice)]
    assert len(numbers) > 15
    assert all(lines[number - 1].startswith(("msgid", "msgctxt")) for number in numbers)
    catalog = await shown(web, "/preview/sq/catalog")
    for number in numbers:
        entry = re.search(f'<li id="L{number}".*?</li>', catalog, re.DOTALL)
        assert entry
        assert 'href="/preview/sq/login_succeeded/' in entry[0]
    assert "%(url)s is a link; put nothing after it" in catalog
    # Among letters from right to left a placeholder would fall apart.
    for address in ("/preview/sq/catalog", "/preview/sq/login_succeeded"):
        assert '<bdi dir="ltr">%(url)s</bdi>' in (await web.get(address)).text


async def test_what_is_too_long_is_flagged_with_what_makes_it_so(web: httpx.AsyncClient, locales: Path) -> None:
    change(locales, "sq", "Successful sign-in", "Identifikimi " * 7)
    change(locales, "sq", NOT_YOU, f"Nëse nuk ishit ju, {'shtypni këtu menjëherë, ' * 5} %(url)s")
    page = await shown(web, "/preview/sq/login_succeeded")
    assert "too long, 78 are the most" in page
    assert re.search(r"[4-9] segments · \d+ characters · UCS-2\s+<strong class=\"flag\">too long</strong>", page)
    assert "because of <code>ë</code>" in page
    change(locales, "sq", "Not you?", "Ndoshta nuk ishit ju vetë, apo jo, apo po?")
    assert "over 30 characters" in await shown(web, "/preview/sq/login_succeeded/html")
    assert "over 30 characters" in await shown(web, "/preview/sq/catalog")


@pytest.mark.parametrize("notice", NOTICES)
async def test_samples_are_typical_longest_and_shortest(web: httpx.AsyncClient, notice: str) -> None:
    sizes = []
    for length in ("shortest", "typical", "longest"):
        page = await shown(web, f"/preview/sq/{notice}/text?sample={length}")
        sizes.append(len(re.findall("<pre.*?</pre>", page, re.DOTALL)[0]))
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("notice", "variant", "said"),
    [
        ("email_changed", "old_address", "From now on our messages go to the new one."),
        ("email_changed", "new_address", "Your account has a new e-mail address: this one."),
        ("document_review_result", "rejected", "We looked at your documents and cannot accept them."),
        ("two_factor_reset", "sms", "The SMS Authenticator of your account was reset."),
        ("withdrawals_suspended", "held_for_now", "are on hold for now."),
        ("password_changed", "held_until", "For your safety, withdrawals are on hold until"),
        ("password_changed", "held_for_now", "For your safety, withdrawals are on hold for now."),
        ("verification_code", "change_phone", "Use this code to change your phone number."),
    ],
)
async def test_each_variant_of_a_notice_is_shown(web: httpx.AsyncClient, notice: str, variant: str, said: str) -> None:
    assert said in await shown(web, f"/preview/en/{notice}/html?frame=1&variant={variant}")
    page = await shown(web, f"/preview/en/{notice}?variant={variant}")
    assert said in page
    chosen = re.findall(r'<a href="[^"]*" aria-current="true">(\w+)</a>', page)
    assert chosen == ["typical", "light", "phone", variant]
    assert f"/preview/en/{notice}/html?variant={variant}&frame=1" in page
    # The gallery leads to all but the first.
    assert (f'href="/preview/sq/{notice}?variant={variant}"' in await shown(web, "/preview/sq")) is (
        variant != next(iter(variants(notice)))
    )


async def test_the_pseudo_languages_show_what_comes_from_no_catalog(web: httpx.AsyncClient) -> None:
    framed = await shown(web, "/preview/en_XA/login_succeeded/html?frame=1")
    assert 'lang="en"' in framed
    assert "⟦Šûççéššƒûļ šîĝñ-îñ" in framed
    mirrored = await shown(web, "/preview/ar_XB/login_succeeded/html?frame=1")
    assert '<html lang="ar" dir="rtl"' in mirrored


@pytest.mark.parametrize(("scheme", "other"), [("dark", "not all"), ("light", "all")])
@pytest.mark.parametrize("address", ["/preview/sq/login_succeeded/html", "/preview/sq/pages/confirm"])
async def test_a_frame_is_light_or_dark_as_told(web: httpx.AsyncClient, address: str, scheme: str, other: str) -> None:
    framed = await shown(web, f"{address}?frame=1&scheme={scheme}")
    assert "prefers-color-scheme" not in framed
    assert f"@media {'all' if scheme == 'dark' else 'not all'}" in framed
    assert f"@media {other} " not in framed
    assert f'content="{scheme}"' in framed


async def test_nothing_is_loaded_from_elsewhere_and_a_message_runs_nothing(web: httpx.AsyncClient) -> None:
    for address in ("/preview", "/preview/sq", "/preview/sq/login_succeeded", "/preview/sq/catalog"):
        answer = await web.get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"| style="|<style| on\w+=', answer.text)
    policy = (await web.get("/preview/sq/login_succeeded/html?frame=1")).headers["content-security-policy"]
    assert "script-src" not in policy
    assert "sandbox allow-same-origin" in policy
    assert "frame-ancestors 'self'" in policy


async def test_a_zip_has_every_message_as_it_would_be_sent(web: httpx.AsyncClient, locales: Path) -> None:
    change(locales, "sq", GENUINE, "")
    answer = await web.get("/preview/sq.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="sq.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())
        texts = {name: archive.read(name).decode() for name in names}
    expected = {
        f"sq/{length}/{notice}/{file}"
        for length in ("typical", "longest", "shortest")
        for notice in NOTICES
        for file in ("subject.txt", "body.html", "body.txt", "sms.txt")
    }
    assert expected <= names
    assert "sq/typical/pages/confirm-deactivate.html" in names
    assert "sq/longest/email_changed-new_address/body.html" in names
    assert texts["sq/typical/login_succeeded/subject.txt"] == "[Northbank] Identifikimi i suksesshëm\n"
    assert not [name for name, text in texts.items() if "<mark" in text or "\ue000" in text]
    assert (await web.get("/preview/sq.zip")).content == answer.content


async def test_an_upload_is_seen_by_who_has_its_address_and_by_nobody_else(
    web: httpx.AsyncClient, locales: Path
) -> None:
    before = path(locales, "nb").read_bytes()
    content = before.replace(b"Vellykket innlogging", b"Ny overskrift")
    assert content != before
    kind = {"content-type": "text/x-gettext-translation"}
    made = await web.post("/preview/uploads/nb", content=content, headers=kind)
    assert (made.status_code, made.json()["faults"]) == (201, [])
    address = made.json()["url"]
    assert "Ny overskrift" in await shown(web, address)
    assert "uploaded file" in await shown(web, address)
    # It goes along from page to page.
    assert "Ny overskrift" in await shown(web, address.replace("/preview/nb", "/preview/nb/login_succeeded"))
    assert "Ny overskrift" not in await shown(web, "/preview/nb")
    assert path(locales, "nb").read_bytes() == before
    # A language that is not there yet.
    arabic = before.replace(b"Language: nb", b"Language: ar").replace(
        b"nplurals=2; plural=(n != 1)",
        b"nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
        b"n%100>=0 && n%100<=2 ? 4 : 5)",
    )
    made = await web.post("/preview/uploads/ar", content=arabic, headers=kind)
    framed = made.json()["url"].replace("/preview/ar", "/preview/ar/login_succeeded/html") + "&frame=1"
    assert '<html lang="ar" dir="rtl"' in await shown(web, framed)
    assert (await web.get("/preview/ar")).status_code == 404


async def test_an_upload_that_may_not_be_served_says_why(web: httpx.AsyncClient) -> None:
    kind = {"content-type": "text/x-gettext-translation"}
    made = await web.post("/preview/uploads/nb", content=b'msgid "a"\nmsgstr "b', headers=kind)
    assert made.json()["faults"] == ["line 2: the string is not closed"]
    assert "line 2: the string is not closed" in await shown(web, made.json()["url"])


@pytest.mark.parametrize(
    ("locale", "content", "kind", "status"),
    [
        ("xx", b"", "text/x-gettext-translation", 404),
        ("en_XA", b"", "text/x-gettext-translation", 404),
        ("nb", b"", "text/plain", 415),
        ("nb", b"", "application/x-www-form-urlencoded", 415),
        ("nb", b" " * (1024 * 1024 + 1), "text/x-gettext-translation", 413),
    ],
)
async def test_an_upload_of_anything_else_is_refused(
    web: httpx.AsyncClient, locale: str, content: bytes, kind: str, status: int
) -> None:
    answer = await web.post(f"/preview/uploads/{locale}", content=content, headers={"content-type": kind})
    assert answer.status_code == status


async def test_no_more_than_twenty_uploads_are_kept(web: httpx.AsyncClient) -> None:
    kind = {"content-type": "text/x-gettext-translation"}
    urls = [
        (await web.post("/preview/uploads/nb", content=b"", headers=kind)).json()["url"].replace("/nb", "/nb/version")
        for _ in range(21)
    ]
    assert [(await web.get(url)).status_code for url in (urls[0], urls[1], urls[20])] == [404, 200, 200]


async def test_the_version_changes_as_the_file_is_saved(web: httpx.AsyncClient, locales: Path) -> None:
    first = await shown(web, "/preview/sq/version")
    assert f'data-version="{first}"' in await shown(web, "/preview/sq")
    change(locales, "sq", GENUINE, "A është i vërtetë?")
    assert await shown(web, "/preview/sq/version") != first


async def test_a_broken_file_is_shown_with_what_is_wrong(web: httpx.AsyncClient, locales: Path) -> None:
    change(locales, "sq", NOT_YOU, "Nuk ishit ju?")
    page = await shown(web, "/preview/sq/login_succeeded")
    assert "needs the placeholders %(url)s" in page
    assert "refused" in await shown(web, "/preview")


async def test_it_is_there_only_where_a_setting_says_so(settings: Settings, locales: Path) -> None:
    for preview, status in ((False, 404), (True, 200)):
        changed = settings.model_copy(update={"preview": preview, "locales": locales})
        transport = httpx.ASGITransport(create_app(changed))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as web:
            assert (await web.get("/preview")).status_code == status
            assert (await web.get("/preview/sq/login_succeeded")).status_code == status


async def test_beside_the_service_it_tells_which_file_serves(settings: Settings, locales: Path) -> None:
    changed = settings.model_copy(update={"preview": True, "locales": locales})
    transport = httpx.ASGITransport(create_app(changed))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as web:
        assert (await shown(web, "/preview")).count("this file\n") == len(LOCALES)
        change(locales, "sq", GENUINE, "A është i vërtetë?")
        page = await shown(web, "/preview")
        assert page.count("this file\n") == len(LOCALES)
        assert page.count("in a moment this file") == 1
