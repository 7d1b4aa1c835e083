"""`notifier keys …`: producers' API keys, made, listed, rotated, revoked while the service runs; and fresh secrets."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from notifier.keyring import Made

app = typer.Typer(
    no_args_is_help=True,
    help="Keys: those of producers, kept in the store, and fresh values for the settings that are secrets.",
)

_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def _span(value: str) -> int:
    """`90d`, `24h`, `30m` → ms."""
    span = _SPAN.fullmatch(value)
    if span is None:
        raise typer.BadParameter("must be a number with m, h or d, such as 24h")
    return int(span[1]) * _UNITS[span[2]]


@app.command()
def new(
    producer: Annotated[str, typer.Argument(help="Whose key it is: the name of a service of yours.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="events:write, codes:write, notifications:read, inbox, links:write, receipts:write, admin."),
    ] = None,
    notice: Annotated[list[str] | None, typer.Option(help="What it may post, such as new_device.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Limits of its own: api_key=6000/minute,code_producer=60/minute.")
    ] = None,
    expires: Annotated[int | None, typer.Option(parser=_span, metavar="SPAN", help="How long it lives: 90d.")] = None,
    signed: Annotated[
        bool, typer.Option("--signed", help="Its requests must be signed, with a secret that is printed with it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key for a producer, and print it: it is shown this once.

    Without --scope it has every scope but admin, without --notice it may post every notice. Lists: with commas, or the
    option several times.

    For example: notifier keys new sign-in --scope events:write --notice login_succeeded,new_device

    A producer has two keys at most, so that one can replace the other. Works at once, without a restart.

    Exits with 0, 1 when the producer has two already, 2 for a word that there is not, 75 while the store is away.
    """
    from notifier.errors import Refused
    from notifier.issuing import Wanted
    from notifier.issuing import new as make

    try:
        made = make(Wanted(producer, _words(scope), _words(notice), _words(limit), expires, signed))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except Refused as error:
        raise _refused(error.detail) from None
    _print(made, as_json=as_json)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys: whose, what they may, when they were made, last used, and when they end. No key is shown.

    Exits with 0, 75 while the store is away.
    """
    from notifier.issuing import listed

    for key in listed():
        typer.echo(json.dumps(key) if as_json else _line(key))


@app.command()
def rotate(
    key: Annotated[str, typer.Argument(help="The key's id, or its producer.")],
    expire_old: Annotated[
        int | None,
        typer.Option(parser=_span, metavar="SPAN", help="When the old key ends: 24h. Else: when it is revoked."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a second key with the same rights, and print it: both work, until the old one ends.

    Then give the new one to the producer, see by “notifier keys list” that the old one is used no more, and revoke it.

    Exits with 0, 1 when the key is not known or its producer has two, 75 while the store is away.
    """
    from notifier.errors import Refused
    from notifier.issuing import rotate as make

    try:
        made = make(_id(key), expire_old)
    except Refused as error:
        raise _refused(error.detail) from None
    _print(made, as_json=as_json)


@app.command()
def revoke(
    ids: Annotated[list[str], typer.Argument(help="Which, by id: see “notifier keys list”.")],
    as_json: AsJson = False,
) -> None:
    """End keys for good. Every process refuses them within two seconds.

    Exits with 0, 1 when one is not known, 75 while the store is away.
    """
    from notifier.errors import Refused
    from notifier.issuing import revoke as end

    unknown = 0
    for id in map(_id, ids):
        producer, problem = None, None
        try:
            producer = end(id).key.producer
        except Refused as error:
            problem = error.detail
            unknown += 1
        if as_json:
            typer.echo(json.dumps({"id": id, "producer": producer, "problem": problem}))
        else:
            typer.echo(f"{id}  {problem}" if problem else f"nk_{id}  {producer}  revoked")
    raise typer.Exit(1 if unknown else 0)


@app.command()
def secret(
    webhook: Annotated[bool, typer.Option("--webhook", help="A secret for NOTIFIER_PLATFORM_SECRETS instead.")] = False,
) -> None:
    """Print a fresh value for NOTIFIER_LINK_KEYS, NOTIFIER_CODE_KEYS or NOTIFIER_PAYLOAD_KEYS.

    To rotate: append it to the list (the newest signs, all are accepted), restart the API and then the workers, wait
    for the longest life of what was made with the old one (links and payloads 7 days, codes 30 minutes), then remove
    the old one.

    Exits with 0.
    """
    import base64
    import secrets

    key = secrets.token_bytes(32)
    typer.echo(
        f"whsec_{base64.b64encode(key).decode()}" if webhook else base64.urlsafe_b64encode(key).decode().rstrip("=")
    )


def _print(made: "Made", *, as_json: bool) -> None:
    if as_json:
        from notifier.clock import system_clock
        from notifier.issuing import shown

        typer.echo(json.dumps(shown(made.kept, system_clock()) | {"key": made.plain, "signing_secret": made.secret}))
        return
    typer.echo(made.plain)
    if made.secret:
        typer.echo(made.secret)
    typer.echo(
        "Keep it now: it is not shown again." if made.secret is None else "Keep both now: they are not shown again.",
        err=True,
    )


def _line(key: dict[str, Any]) -> str:
    facts = [
        f"{key['prefix'] or '(setting)':<11}  {key['producer']:<20}  {key['state']:<7}",
        f"used {key['last_used_at'] or 'never'}" if key["id"] else "",
        f"ends {key['expires_at']}" if key["expires_at"] else "",
        f"scopes {','.join(key['scopes'])}",
        f"notices {','.join(key['notices'])}" if key["notices"] else "",
        *(f"{name}={rate}" for name, rate in key["limits"].items()),
        "signed" if key["signed"] else "",
    ]
    return "  ".join(fact for fact in facts if fact)


def _words(given: list[str] | None) -> list[str]:
    return [word for each in given or () for word in each.split(",") if word]


def _id(name: str) -> str:
    """An id, however it was written: bare, as a prefix, or in the whole key, which is not to be shown again."""
    return name.removeprefix("nk_").partition("_")[0] if name.startswith("nk_") else name


def _refused(detail: str) -> typer.Exit:
    typer.echo(detail, err=True)
    return typer.Exit(1)
