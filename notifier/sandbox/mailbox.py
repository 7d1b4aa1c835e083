"""Takes e-mail over SMTP, to any address; gives it back as JSON and as pages to read it on."""

import asyncio
from pathlib import Path
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notifier.ports import bind
from notifier.sandbox.maildrop import Mail, Maildrop
from notifier.sandbox.pages import page

_LONGEST_LIST = 500
# Links of a message open beside it: inside its frame they could neither run nor post anything.
_LINKS_OPEN_BESIDE = '<!doctype html><base target="_blank">'


class Mailbox:
    """An SMTP server and the web app which shows what it received.

    Faults are made on purpose with the attributes: `refuse_rcpt` and `refuse_data` are SMTP reply
    lines such as "451 4.3.0 try later", each used for one RCPT or one DATA; while `hold_data` is
    an event that is not set, a message sent is neither answered nor kept.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.maildrop = Maildrop(directory)
        self.refuse_rcpt: list[str] = []
        self.refuse_data: list[str] = []
        self.hold_data: asyncio.Event | None = None
        self._server: asyncio.Server | None = None
        self._connections: WeakSet[SMTP] = WeakSet()
        self.app = Starlette(
            routes=[
                Route("/", self._list_page),
                Route("/messages/{id}", self._message_page),
                Route("/api/messages", self._list, methods=["GET"]),
                Route("/api/messages", self._clear, methods=["DELETE"]),
                Route("/api/messages/{id}", self._message),
                Route("/api/messages/{id}/raw", self._raw),
            ]
        )

    async def start_smtp(self, host: str, port: int, setting: str = "NOTIFIER_DEMO_SMTP_PORT") -> int:
        """Listen, on any free port when `port` is 0, and return the port."""
        loop = asyncio.get_running_loop()
        listener = bind(host, port, setting)
        self._server = await loop.create_server(self._connection, sock=listener)
        bound: int = listener.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and drop the connections, as a server that goes down does."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.close()
        await self._server.wait_closed()
        self._server = None

    def _connection(self) -> SMTP:
        # The name is given, as aiosmtpd would otherwise ask the DNS for it.
        connection = SMTP(
            self,
            hostname="localhost",
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.refuse_rcpt:
            return self.refuse_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data.pop(0)
        if self.hold_data is not None:
            # A client that gives up meanwhile cancels this: nothing was delivered.
            await self.hold_data.wait()
        mail = self.maildrop.keep(
            envelope.mail_from or "",
            [str(address) for address in envelope.rcpt_tos],
            envelope.original_content or b"",
        )
        return f"250 2.0.0 OK: kept as {mail.id}"

    def _find(self, request: Request) -> Mail:
        mail = self.maildrop.get(request.path_params["id"])
        if mail is None:
            raise HTTPException(404)
        return mail

    async def _list(self, request: Request) -> Response:
        to = request.query_params.get("to")
        mails = self.maildrop if to is None else self.maildrop.to(to)
        return JSONResponse([mail.as_json() for mail in mails])

    async def _message(self, request: Request) -> Response:
        return JSONResponse(self._find(request).as_json())

    async def _raw(self, request: Request) -> Response:
        return Response(self._find(request).raw, media_type="message/rfc822")

    async def _clear(self, request: Request) -> Response:
        self.maildrop.clear()
        return Response(status_code=204)

    async def _list_page(self, request: Request) -> Response:
        newest = [mail for mail, _ in zip(self.maildrop, range(_LONGEST_LIST), strict=False)]
        return page("mailbox.html", mails=newest, total=len(self.maildrop))

    async def _message_page(self, request: Request) -> Response:
        mail = self._find(request)
        html = None if mail.html is None else _LINKS_OPEN_BESIDE + mail.html
        return page("mail.html", mail=mail, html=html)
