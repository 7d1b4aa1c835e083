"""`notifier catalogs …`: what a localization team runs, and CI for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from notifier.catalogs.checker import Checker
    from notifier.catalogs.files import Shelf

app = typer.Typer(
    no_args_is_help=True,
    help="The gettext catalogs: made, kept in step with the templates, checked. See docs/localization.md.",
)

Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        envvar="NOTIFIER_LOCALES",
        help="The folder with messages.pot and a folder for each locale; the product's own where none is named.",
        exists=True,
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document, for tools.")]
Locales = Annotated[list[str] | None, typer.Argument(help="Which; all of them where none is named.", metavar="LOCALE")]
Every = Annotated[bool, typer.Option("--all", help="Name everything, also where one is like the other.")]
Brand = Annotated[str, typer.Option(envvar="NOTIFIER_BRAND", help="Whose messages are rendered: it stands in each.")]
PublicUrl = Annotated[str, typer.Option(envvar="NOTIFIER_PUBLIC_URL", help="What links begin with: SMS print them.")]

_BRAND = "Northbank"
_PUBLIC_URL = "https://notify.northbank.example"


@app.command()
def extract(
    directory: Directory = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the file is stale.")] = False,
) -> None:
    """Write messages.pot: every string of the templates, with its comments and a preview that shows it.

    The same templates give the same bytes.

    Exits with 0; with --check 1 when the file is stale.
    """
    shelf, checker = _checker(directory)
    stale = not shelf.template.exists() or shelf.template.read_bytes() != checker.extracted
    if stale and not check:
        shelf.template.write_bytes(checker.extracted)
    typer.echo(f"{shelf.template}: {('is stale' if check else 'written') if stale else 'is what the templates say'}")
    raise typer.Exit(1 if stale and check else 0)


@app.command()
def update(
    locales: Locales = None,
    directory: Directory = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Drop what is said no more, instead of keeping it as #~.")
    ] = False,
) -> None:
    """Bring new strings of the templates into messages.pot and every catalog. Translations stay.

    A string that has got a context keeps its translation. Of what the templates say no more the translation stands at
    the catalog's end (#~) until --clean.

    Exits with 0, 1 when a file cannot be read.
    """
    from notifier.catalogs import upkeep

    shelf, checker = _checker(directory)
    shelf.template.write_bytes(checker.extracted)
    for locale in _named(shelf, locales):
        path = shelf.catalog(locale)
        with _told():
            before, after = path.read_bytes(), upkeep.update(shelf, locale, checker.extracted, clean=clean)
        if before != after:
            path.write_bytes(after)
        typer.echo(f"{path}: {'is in step' if before == after else 'written'}")


@app.command()
def new(
    locale: Annotated[str, typer.Argument(help="As CLDR names it: da, pt_BR, zh_Hans.")], directory: Directory = None
) -> None:
    """Begin a locale: an empty catalog with the plural forms of its language, and a glossary to fill.

    It is served as soon as it stands there. Messages that need a string which is not translated yet are sent whole in
    another language.

    Exits with 0, 2 for a locale that CLDR does not know, or that has been begun already.
    """
    from notifier.catalogs import upkeep

    shelf, checker = _checker(directory)
    try:
        with _told():
            files = upkeep.new(shelf, locale, checker.template)
    except upkeep.NotALocale as error:
        raise typer.BadParameter(str(error), param_hint="LOCALE") from None
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        typer.echo(f"{path}: written")


@app.command()
def check(
    locales: Locales = None,
    directory: Directory = None,
    sms: Annotated[bool, typer.Option("--sms", help="Show what the SMS of each notice costs in each locale.")] = False,
    brand: Brand = _BRAND,
    public_url: PublicUrl = _PUBLIC_URL,
    every: Every = False,
    as_json: Json = False,
) -> None:
    """Find what is wrong in catalogs, and say what would be right.

    Exits with 1 where there is an error (an owner must not see it) or a warning (against the language's own form). A
    note tells only what costs money. What is right as it stands goes into the locale's allowed.csv, with the reason.
    """
    from notifier.commands import reports

    shelf, checker = _checker(directory, brand, public_url)
    with _told():
        report = checker.check(_named(shelf, locales) if locales else (), prices=sms or as_json)
    if as_json:
        typer.echo(reports.as_json(report))
    else:
        reports.show_findings(report.findings, every=every)
        if sms:
            reports.show_costs(report.costs)
    raise typer.Exit(1 if any(finding.level != "note" for finding in report.findings) else 0)


@app.command()
def coverage(
    locales: Locales = None,
    directory: Directory = None,
    at_least: Annotated[int, typer.Option(min=0, max=100, help="Exit with 1 where fewer per cent are translated.")] = 0,
    every: Every = False,
    as_json: Json = False,
) -> None:
    """Tell how much of each catalog is translated, and which messages are still sent in another language.

    Exits with 0; 1 when a locale has less than --at-least, or a file cannot be read.
    """
    from notifier.catalogs.coverage import coverage as measured
    from notifier.catalogs.files import read
    from notifier.commands import reports

    shelf, checker = _checker(directory)
    with _told():
        rows = [
            measured(locale, read(shelf.catalog(locale), locale), checker.template, checker.usage)
            for locale in _named(shelf, locales)
        ]
    if as_json:
        typer.echo(reports.coverage_json(rows))
    else:
        reports.show_coverage(rows, every=every)
    raise typer.Exit(1 if any(row.percent < at_least for row in rows) else 0)


@app.command("compile")
def compile_(
    locales: Locales = None,
    directory: Directory = None,
    to: Annotated[Path, typer.Option(help="Where the .mo files go.")] = Path("build/locales"),
) -> None:
    """Write .mo files, for other programs that read these catalogs.

    The service needs none: it reads the .po files, so that nothing compiled can be stale. A catalog that may not be
    served is refused, and the exit code is 1.

    Exits with 0, 1 when a catalog could not be served: of that none is written.
    """
    import io

    from babel.messages.mofile import write_mo

    from notifier.catalogs.files import read
    from notifier.catalogs.findings import UNSERVABLE
    from notifier.commands import reports

    shelf, checker = _checker(directory)
    chosen = _named(shelf, locales)
    with _told():
        wrong = [finding for finding in checker.check(chosen).findings if finding.rule in UNSERVABLE]
    for locale in sorted(set(chosen) - {finding.locale for finding in wrong}):
        path = to / locale / "LC_MESSAGES" / "messages.mo"
        compiled = io.BytesIO()
        write_mo(compiled, read(shelf.catalog(locale), locale))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(compiled.getvalue())
        typer.echo(f"{path}: written")
    if wrong:
        reports.show_findings(wrong)
        raise typer.Exit(1)


@app.command()
def pseudo(
    directory: Directory = None,
    to: Annotated[Path, typer.Option(help="Where the catalogs go.")] = Path("build/pseudo"),
) -> None:
    """Write English with accents, two fifths longer, as catalogs: en_XA, and ar_XB that runs from right to left.

    What is plain in a message that is written with one comes from no catalog; what is cut off will be cut off in
    German. They are never served, wherever they stand.

    Exits with 0.
    """
    from notifier.catalogs.files import Shelf
    from notifier.catalogs.upkeep import pseudo_catalog
    from notifier.rendering.pseudo import MIRRORED, PSEUDO_LOCALES

    _, checker = _checker(directory)
    for locale in PSEUDO_LOCALES:
        path = Shelf(to).catalog(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pseudo_catalog(checker.template, mirrored=locale == MIRRORED))
        typer.echo(f"{path}: written")


@app.command()
def preview(
    directory: Directory = None,
    brand: Brand = _BRAND,
    public_url: PublicUrl = _PUBLIC_URL,
    port: Annotated[int, typer.Option(help="The port of the pages, on this machine only; 0 is any free one.")] = 8030,
) -> None:
    """Show every message in every language in a browser, beside English, until Ctrl-C.

    A page reloads as soon as its catalog is saved. Nothing else needs to run, and nothing is sent or served.

    Exits with 0, 1 when the port is taken.
    """
    from notifier.assets import assets
    from notifier.catalogs.samples import sample_voice
    from notifier.console.serving import run

    run(assets("templates"), directory or assets("locales"), sample_voice(brand, public_url), port, typer.echo)


def _checker(directory: Path | None, brand: str = _BRAND, public_url: str = _PUBLIC_URL) -> "tuple[Shelf, Checker]":
    import notifier
    from notifier.assets import assets
    from notifier.catalogs.checker import Checker
    from notifier.catalogs.files import Shelf
    from notifier.catalogs.samples import sample_voice

    shelf = Shelf(_near(directory or assets("locales")))
    package = Path(notifier.__file__).parent
    return shelf, Checker(shelf, _near(assets("templates")), package, sample_voice(brand, public_url))


@contextmanager
def _told() -> Iterator[None]:
    """A file that cannot be read is one clear line."""
    from notifier.catalogs.files import Unreadable

    try:
        yield
    except Unreadable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _near(path: Path) -> Path:
    """As who stands here would name it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _named(shelf: "Shelf", locales: Sequence[str] | None) -> list[str]:
    """The locales that are meant, in any casing."""
    there = {locale.lower(): locale for locale in shelf.locales}
    named = [locale.replace("-", "_").lower() for locale in locales or there]
    if unknown := [locale for locale in named if locale not in there]:
        known = ", ".join(there.values()) or "none"
        raise typer.BadParameter(f"{', '.join(unknown)} has no catalog; those that have: {known}", param_hint="LOCALE")
    return [there[locale] for locale in named]
