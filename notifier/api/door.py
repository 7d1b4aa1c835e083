"""By which channels a message may leave: what is wanted comes in, what is served goes out, or `Invalid`, `TooMany`."""

from collections.abc import Collection
from dataclasses import dataclass

from notifier.errors import FieldProblem, Invalid
from notifier.events import Addressed, Channel, Recipient
from notifier.recipients import country
from notifier.throttle import Throttle, block


@dataclass(frozen=True, slots=True)
class Door:
    """`channels` are set up here; SMS goes to `countries` (ISO 3166, none named means all)."""

    channels: Collection[Channel]
    countries: Collection[str]
    throttle: Throttle

    async def admit(self, wanted: Addressed, at: str) -> tuple[Channel, ...]:
        """The channels to send on; this counts."""
        sent = self.open(wanted, at)
        await self.count(wanted.recipient, sent)
        return sent

    async def count(self, recipient: Recipient, channels: Collection[Channel]) -> None:
        """Raises TooMany."""
        if "sms" in channels:
            await self.throttle.take(sms_block=block(recipient.phone or ""))

    def open(self, wanted: Addressed, at: str) -> tuple[Channel, ...]:
        """The channels that it may leave by. `at` is the pointer of `wanted`.

        A channel that was named and is not served is refused; one that was only implied by an address is left out,
        as long as there is another: an alert must not fail for its owner's having a phone abroad.
        """
        sent: list[Channel] = []
        problems: list[FieldProblem] = []
        for channel in wanted.reached:
            problem = self._problem(channel, wanted, at)
            if problem is None:
                sent.append(channel)
            else:
                problems.append(problem)
        if problems and (wanted.channels or not sent):
            raise Invalid(problems)
        return tuple(sent)

    def _problem(self, channel: Channel, wanted: Addressed, at: str) -> FieldProblem | None:
        if channel not in self.channels:
            return FieldProblem(f"{at}/channels", f"{channel} is not set up here")
        phone = wanted.recipient.phone
        if channel == "sms" and phone and self.countries and country(phone) not in self.countries:
            return FieldProblem(f"{at}/recipient/phone", "must be a number of a country that is served by SMS here")
        return None
