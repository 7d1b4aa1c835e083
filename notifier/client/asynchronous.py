"""The asyncio client: typed calls come in, frozen answers go out, or a `Failure`. Asks what the blocking one asks."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from notifier.client import answers, calls
from notifier.client.calls import Call, Posted
from notifier.client.failures import Problem
from notifier.client.patience import Done, Patience, Wait
from notifier.client.session import Session
from notifier.events import Channel, Recipient

Result = TypeVar("Result")


class AsyncNotifier:
    """One connection pool to one service: make one, keep it, and close it or use it in `async with`.

    Each call is tried until there is an answer, for as long as `patience` says, and does its work once however often it
    was tried. `transport` stands in for the network, in tests.
    """

    def __init__(
        self, url: str, key: str, *, patience: Patience | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._session = Session(url, key, patience or Patience())
        self._http = httpx.AsyncClient(transport=transport, timeout=self._session.patience.each)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def send(self, event: Posted) -> answers.Taken:
        """Post an event: once this returns, it will be sent."""
        return await self._done(calls.send(event))

    async def send_batch(self, events: Sequence[Posted]) -> tuple[answers.Taken | Problem, ...]:
        """Post up to 1,000 events: a result for each, in order. A `Problem` is given, not raised."""
        return await self._done(calls.send_batch(events))

    async def preview(self, event: Posted) -> answers.Preview:
        """What would be sent; sends nothing."""
        return await self._done(calls.preview(event))

    async def issue_code(
        self,
        account: str,
        purpose: str,
        recipient: Recipient,
        channels: Sequence[Channel] = (),
        *,
        idempotency_key: str | None = None,
    ) -> answers.CodeSent:
        """Send a code. With a key of yours, a call that is made again sends no second one."""
        key = idempotency_key or self._session.ids()
        return await self._done(calls.issue_code(account, purpose, recipient, channels, key))

    async def resend_code(
        self, code_id: str, channels: Sequence[Channel] = (), *, idempotency_key: str | None = None
    ) -> answers.CodeSent:
        """Send the same code again, with its first expiry, or on other channels."""
        return await self._done(calls.resend_code(code_id, channels, idempotency_key or self._session.ids()))

    async def verify_code(
        self,
        code_id: str,
        code: str,
        *,
        channel: Channel | None = None,
        account: str | None = None,
        purpose: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Verdict:
        """Whether the code is right, true once. What is given besides must be what the code is bound to."""
        key = idempotency_key or self._session.ids()
        return await self._done(calls.verify_code(code_id, code, channel, account, purpose, key))

    async def notification(self, id: str) -> answers.Notification:
        """Its status and timeline."""
        return await self._done(calls.notification(id))

    async def notifications(
        self,
        account: str,
        *,
        status: str | None = None,
        channel: Channel | None = None,
        notice: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> answers.Notifications:
        """A page of an account's notifications."""
        return await self._done(calls.notifications(account, status, channel, notice, limit, cursor))

    async def cancel(self, id: str, *, idempotency_key: str | None = None) -> answers.Standing:
        """Cancel a notification that is not sent yet."""
        return await self._done(calls.cancel(id, idempotency_key or self._session.ids()))

    async def resend(self, id: str, *, idempotency_key: str | None = None) -> answers.Standing:
        """Send a notification that failed again."""
        return await self._done(calls.resend(id, idempotency_key or self._session.ids()))

    async def inbox(
        self, account: str, *, unread: bool = False, limit: int | None = None, cursor: str | None = None
    ) -> answers.Inbox:
        """A page of an account's inbox; with `unread` only what is."""
        return await self._done(calls.inbox(account, unread, limit, cursor))

    async def unread(self, account: str) -> answers.Unread:
        """How many items of an account's inbox are unread."""
        return await self._done(calls.unread(account))

    async def mark_read(self, account: str, id: str, *, idempotency_key: str | None = None) -> answers.Marked:
        """The owner has seen this item."""
        return await self._done(calls.mark_read(account, id, idempotency_key or self._session.ids()))

    async def mark_all_read(
        self, account: str, *, up_to: str | None = None, idempotency_key: str | None = None
    ) -> answers.Unread:
        """The owner has seen all items up to this one, or all."""
        return await self._done(calls.mark_all_read(account, up_to, idempotency_key or self._session.ids()))

    async def revoke_links(
        self, account: str, purposes: Sequence[str], *, idempotency_key: str | None = None
    ) -> answers.LinksRevoked:
        """Void an account's links of these purposes, issued up to now."""
        return await self._done(calls.revoke_links(account, purposes, idempotency_key or self._session.ids()))

    async def audit(self, *, account: str | None = None, notification: str | None = None) -> answers.Audit:
        """What happened to the links of an account or of a notification; give one of them."""
        return await self._done(calls.audit(account, notification))

    async def dead_letters(
        self, kind: str = "notification", *, cursor: str | None = None, limit: int | None = None
    ) -> answers.DeadLetters:
        """A page of what was given up: notifications, or actions of owners."""
        return await self._done(calls.dead_letters(kind, cursor, limit))

    async def replay(self, id: str, *, idempotency_key: str | None = None) -> answers.Standing:
        """Try a dead letter again."""
        return await self._done(calls.replay(id, idempotency_key or self._session.ids()))

    async def erase(self, account: str) -> answers.Erased:
        """Erase everything kept about an account."""
        return await self._done(calls.erase(account))

    async def _done(self, call: Call[Result]) -> Result:
        tries, request = self._session.tries(), self._session.request(call)
        while True:
            try:
                response = await self._http.request(**request)
            except httpx.TransportError as error:
                step: Wait | Done[Result] = tries.failed(error)
            else:
                step = tries.answered(call, response)
            if isinstance(step, Done):
                return step.result
            await asyncio.sleep(step.seconds)
