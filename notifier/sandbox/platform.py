"""Takes the signed actions the service forwards, each acted on once; holds the accounts' states
and shows them with everything that was delivered.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from notifier.clock import Clock, moment, system_clock
from notifier.sandbox.journal import Journal
from notifier.sandbox.pages import page

_STATES = {
    "account.deactivation_confirmed": "deactivated",
    "account.reactivation_confirmed": "active",
    "account.activated": "active",
}
_ASKS = "Please send us a copy of your identity document first."
_LONGEST_LIST = 200
# What was signed longer ago, or is signed for a time to come, somebody may have kept and sends again.
_TOLERANCE_MS = 300_000


@dataclass(frozen=True)
class Delivery:
    """One signed request and what it was answered; `repeated` when its action was known."""

    received_at: str
    webhook_id: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any]
    repeated: bool

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.received_at)

    @property
    def type(self) -> str:
        return str(self.body.get("type"))

    @property
    def account_id(self) -> str | None:
        data = self.body.get("data")
        account = data.get("account_id") if isinstance(data, dict) else None
        return account if isinstance(account, str) else None

    @property
    def settled(self) -> bool:
        """Whether the answer is final, so that it is repeated when the action comes again."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Account:
    account_id: str
    state: str
    since: str

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.since)


class AccountPlatform:
    """The platform whose accounts the notices are about.

    What it does with actions is set with the attributes: `answers` holds pairs of an HTTP status and a
    JSON body, each the answer to one delivery of an action not yet settled; while `asking` is true it
    refuses to make an account active again and asks for documents first; while `down` is true
    everything is answered 503.
    """

    def __init__(self, secret: str, directory: Path | None = None, clock: Clock = system_clock) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.asking = False
        self.down = False
        self.accounts: dict[str, Account] = {}
        self.deliveries: list[Delivery] = []
        self._settled: dict[str, Delivery] = {}
        self._webhook = Webhook(secret)
        self._clock = clock
        self._journal = Journal(None if directory is None else directory / "platform.jsonl")
        for line in self._journal.read():
            self._take(Delivery(**line))
        self.app = Starlette(
            routes=[
                Route("/webhooks", self._receive, methods=["POST"]),
                Route("/", self._page),
                Route("/answering", self._switch, methods=["POST"]),
                Route("/api/accounts", self._list_accounts),
                Route("/api/accounts/{id}", self._account),
                Route("/api/actions", self._list_actions),
            ]
        )

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        try:
            action = self._verified(body.decode(), request.headers)
        except (WebhookVerificationError, ValueError, KeyError):
            return Response(status_code=503 if self.down else 401)
        if not isinstance(action, dict):
            return Response(status_code=400)
        webhook_id = request.headers["webhook-id"]
        earlier = self._settled.get(webhook_id)
        status, answer = self._decide(earlier, action.get("type"), str(request.base_url))
        delivery = Delivery(
            received_at=moment(self._clock()).isoformat(),
            webhook_id=webhook_id,
            body=action,
            status=status,
            answer=answer,
            repeated=earlier is not None,
        )
        self._take(delivery)
        self._journal.append(asdict(delivery))
        return JSONResponse(answer, status_code=status)

    def _verified(self, body: str, headers: Mapping[str, str]) -> Any:
        """As the library's `verify`, by a clock that was handed in.

        Raises WebhookVerificationError, KeyError without a header, ValueError where one or the body is malformed.
        """
        seconds = int(headers["webhook-timestamp"])
        if abs(self._clock() - seconds * 1000) > _TOLERANCE_MS:
            raise WebhookVerificationError("signed at another time")
        signature = self._webhook.sign(headers["webhook-id"], moment(seconds * 1000), body).encode()
        given = headers["webhook-signature"].split()
        if not any(hmac.compare_digest(signature, one.encode()) for one in given):
            raise WebhookVerificationError("no signature fits")
        return json.loads(body)

    def _decide(self, earlier: Delivery | None, type: Any, url: str) -> tuple[int, dict[str, Any]]:
        if self.down:
            return 503, {}
        if earlier is not None:
            return earlier.status, earlier.answer
        if self.answers:
            return self.answers.pop(0)
        if self.asking and type == "account.reactivation_confirmed":
            return 200, {"outcome": "refused", "reason": _ASKS, "next_url": url}
        return 200, {"outcome": "done"}

    def _take(self, delivery: Delivery) -> None:
        """Act on a delivery, at once or when it is read back."""
        self.deliveries.append(delivery)
        if delivery.repeated or not delivery.settled:
            return
        self._settled[delivery.webhook_id] = delivery
        account, state = delivery.account_id, _STATES.get(delivery.type)
        if account and state and delivery.answer.get("outcome") != "refused":
            self.accounts[account] = Account(account, state, delivery.received_at)

    async def _list_accounts(self, request: Request) -> Response:
        return JSONResponse([asdict(account) for account in self.accounts.values()])

    async def _account(self, request: Request) -> Response:
        account = self.accounts.get(request.path_params["id"])
        if account is None:
            return JSONResponse({"detail": "no action about this account yet"}, status_code=404)
        return JSONResponse(asdict(account))

    async def _list_actions(self, request: Request) -> Response:
        newest = reversed(self.deliveries)
        return JSONResponse([{"type": d.type, **asdict(d)} for d in newest])

    async def _switch(self, request: Request) -> Response:
        """Let a reader of the page see what happens while the platform asks for more, and cannot be reached."""
        how = (await request.body()).decode("ascii", "replace")
        self.asking, self.down = how == "how=asks", how == "how=offline"
        return RedirectResponse("/", status_code=303)

    async def _page(self, request: Request) -> Response:
        return page(
            "platform.html",
            accounts=sorted(self.accounts.values(), key=lambda a: a.since, reverse=True),
            deliveries=self.deliveries[: -_LONGEST_LIST - 1 : -1],
            total=len(self.deliveries),
            how="offline" if self.down else "asks" if self.asking else "takes",
        )
