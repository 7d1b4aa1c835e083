"""`notifier send` and `notifier preview`: an event from a file or from options, posted or shown."""

import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.commands.asking import HERE, AsJson, KeyFile, Url, service

if TYPE_CHECKING:
    from notifier.client import Chosen, Preview
    from notifier.drafts import Draft

app = typer.Typer()

SOURCE = "urn:notifier:cli"

File = Annotated[str | None, typer.Argument(help="A file with one CloudEvent as JSON; - is standard input.")]
Notice = Annotated[str | None, typer.Option(help="Instead of a file: which notice.")]
Account = Annotated[str | None, typer.Option(help="The account's id.")]
Email = Annotated[str | None, typer.Option(help="The owner's address.")]
Phone = Annotated[str | None, typer.Option(help="The owner's number, such as +355691234567.")]
Locale = Annotated[str | None, typer.Option(help="The owner's language, such as sq.")]
Timezone = Annotated[str | None, typer.Option(help="The owner's zone, such as Europe/Tirane.")]
Channel = Annotated[list[str] | None, typer.Option(help="email, sms or inbox; not given: email and sms, as there are.")]
Fact = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A field of the context, such as ip=192.0.2.7.")
]
Reference = Annotated[str | None, typer.Option(help="Comes back with every click.")]
SendAt = Annotated[str | None, typer.Option(help="When to send it (RFC 3339).")]
Source = Annotated[str, typer.Option(help="Who posts it, as a URI.")]
Id = Annotated[str | None, typer.Option(help="The event's id: the same again sends nothing. Not given: a fresh one.")]
Example = Annotated[
    str | None, typer.Option(metavar="NOTICE", help="Print an event of this notice to begin with, and do nothing else.")
]


@app.command()
def send(
    file: File = None,
    notice: Notice = None,
    account: Account = None,
    email: Email = None,
    phone: Phone = None,
    locale: Locale = None,
    timezone: Timezone = None,
    channel: Channel = None,
    facts: Fact = None,
    reference: Reference = None,
    send_at: SendAt = None,
    source: Source = SOURCE,
    id: Id = None,
    example: Example = None,
    url: Url = HERE,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Post an event to a running service: its messages are sent.

    From a file: notifier send --example new_device > event.json; notifier send event.json

    From options: notifier send --notice login_succeeded --account acct-1001 --email arta@example.com
    --locale sq --set ip=203.0.113.24 --set "device=Chrome on Windows"

    Exits with 0 when it was accepted, 1 when it was refused (why is on standard error), 2 when the command line is
    wrong, 75 when the service was not reached or cannot do it now: send the same again.
    """
    from notifier.drafts import Draft

    recipient = {"email": email, "phone": phone, "locale": locale, "timezone": timezone}
    draft = Draft(
        notice=notice,
        account=account,
        recipient=recipient,
        channels=channel or (),
        facts=facts or (),
        reference=reference,
        send_at=send_at,
        source=source,
        id=id or str(uuid.uuid4()),
    )
    event = _event(file, draft, example)
    with service(url, key_file, as_json=as_json) as notifier:
        taken = notifier.send(event)
    if as_json:
        typer.echo(taken.model_dump_json())
        return
    typer.echo(f"event  {taken.event_id}")
    for made in taken.notifications:
        typer.echo(f"{made.channel:<5}  {made.id}  {made.status}")
    if taken.code_id:
        typer.echo(f"code   {taken.code_id}")


@app.command()
def preview(
    file: File = None,
    notice: Notice = None,
    account: Account = None,
    email: Email = None,
    phone: Phone = None,
    locale: Locale = None,
    timezone: Timezone = None,
    channel: Channel = None,
    facts: Fact = None,
    example: Example = None,
    html: Annotated[Path | None, typer.Option(help="Write the mail's HTML to this file.")] = None,
    url: Url = HERE,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what an event's messages would say: subject, text, SMS with its segments, links. Sends nothing.

    For example: notifier preview --example withdrawal_confirmation | notifier preview - --html mail.html

    Exits with 0, 1 when the event was refused, 2 when the command line is wrong, 75 when the service was not reached.
    """
    from notifier.drafts import Draft

    recipient = {"email": email, "phone": phone, "locale": locale, "timezone": timezone}
    draft = Draft(
        notice=notice,
        account=account,
        recipient=recipient,
        channels=channel or (),
        facts=facts or (),
        source=SOURCE,
        id=str(uuid.uuid4()),
    )
    event = _event(file, draft, example)
    with service(url, key_file, as_json=as_json) as notifier:
        shown = notifier.preview(event)
    if html and shown.email:
        html.write_text(shown.email.html, "utf-8")
    if as_json:
        typer.echo(shown.model_dump_json())
    else:
        _print(shown)


def _event(file: str | None, draft: "Draft", example: str | None) -> Mapping[str, Any]:
    """The event that the command line means; with --example that is printed, and the command is done."""
    from notifier import drafts

    try:
        if example is not None:
            typer.echo(drafts.example(example, draft.id))
            raise typer.Exit
        if file is not None:
            return drafts.parse(sys.stdin.read() if file == "-" else Path(file).read_text("utf-8"))
        return draft.event(datetime.now(UTC))
    except OSError as error:
        raise typer.BadParameter(str(error.strerror), param_hint="FILE") from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _print(shown: "Preview") -> None:
    if shown.email:
        typer.secho(f"E-mail, {_locale(shown.email.locale)}", bold=True)
        typer.echo(f"{shown.email.subject}\n\n{shown.email.text.strip()}\n")
    if shown.sms:
        segments = shown.sms.segments
        told = f"{segments.length} of {segments.alphabet}, billed as {segments.count}"
        typer.secho(f"SMS, {_locale(shown.sms.locale)}; {told}", bold=True)
        typer.echo(f"{shown.sms.text.strip()}\n")
    if shown.links:
        typer.secho("Links", bold=True)
    for link in shown.links:
        asks = ", asks for the code" if link.asks_for_code else ""
        typer.echo(f"{link.purpose}  until {link.expires_at:%Y-%m-%d %H:%M} UTC{asks}")


def _locale(locale: "Chosen") -> str:
    return f"{locale.chosen} ({locale.reason})"
