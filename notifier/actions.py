"""What a click asked for, between the page that took it and the platform that is told: sealed like everything kept."""

from typing import Self

from notifier.events import Model
from notifier.sealing import Sealer


class Action(Model):
    """One consumed link. `event` and `notification` are ours; times in ms; `trace` is the click's."""

    type: str
    account: str
    event: str
    notice: str
    notification: str
    reference: str | None = None
    clicked: int
    ip: str
    user_agent: str
    locale: str
    trace: str | None = None

    def seal(self, sealer: Sealer, id: str) -> bytes:
        """Bound to the action's id."""
        return sealer.seal(id, self.model_dump_json(exclude_none=True).encode())

    @classmethod
    def open(cls, sealer: Sealer, id: str, sealed: bytes) -> Self:
        """Raises sealing.Unsealable."""
        return cls.model_validate_json(sealer.open(id, sealed))


class Answer(Model):
    """More than done, as the platform answered: shown on the link's page."""

    reason: str | None = None
    next_url: str | None = None
