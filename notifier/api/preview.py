"""`POST /v1/preview`: an event comes in as it would be posted; what its messages would say goes out. Nothing happens.

It needs the scope of who may post the event: it shows no more than they have sent, and reads nothing that is kept.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from notifier.api import cloudevents
from notifier.api.answers import Previewed
from notifier.api.auth import allow, requires
from notifier.api.events import content
from notifier.api.openapi import operation
from notifier.api.reading import Reading
from notifier.clock import rfc3339
from notifier.errors import NoticeForbidden
from notifier.preview import ItemPreview, LinkPreview, MailPreview, Preview, Previewer, SmsPreview, Wording
from notifier.setting_types import ApiKey

_SCOPE = "events:write"
Caller = Annotated[ApiKey, Depends(requires(_SCOPE))]


@dataclass(frozen=True, slots=True)
class PreviewApi:
    """Shows an event's messages."""

    previewer: Previewer
    reading: Reading

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/preview",
            self.show,
            methods=["POST"],
            summary="See what an event's messages would say",
            **operation(
                "previewEvent", "Events", scope=_SCOPE, takes=content(), gives=Previewed, refuses=[NoticeForbidden]
            ),
        )
        return router

    async def show(self, request: Request, caller: Caller) -> dict[str, Any]:
        """A dry run: the event is checked as if it were posted, in any of the same modes; nothing is sent, stored or
        counted. Codes are printed as `123456`, and the links open nothing.
        """
        envelope, notice = self.reading.envelope(await cloudevents.read_event(request))
        allow(caller, notice.name)
        return shown(self.previewer.preview(self.reading.event(envelope, notice)))


def shown(preview: Preview) -> dict[str, Any]:
    """A preview as JSON has it."""
    return {
        "notice": preview.notice,
        "lane": preview.lane.value,
        "send_at": rfc3339(preview.due),
        "deadline": rfc3339(preview.deadline),
        "code": _code(preview),
        "links": [_link(link, preview.due) for link in preview.links],
        "email": _mail(preview.mail) if preview.mail else None,
        "sms": _sms(preview.sms) if preview.sms else None,
        "inbox": _item(preview.item) if preview.item else None,
    }


def _code(preview: Preview) -> dict[str, Any] | None:
    if preview.code is None or preview.code_expires is None:
        return None
    return {
        "length": len(preview.code.digits),
        "life_seconds": (preview.code_expires - preview.due) // 1000,
        "expires_at": rfc3339(preview.code_expires),
    }


def _link(link: LinkPreview, due: int) -> dict[str, Any]:
    return {
        "purpose": link.purpose,
        "channels": list(link.channels),
        "life_seconds": (link.expires - due) // 1000,
        "opens": "when_sent" if link.delay is None else "after_deactivation",
        "opens_after_seconds": (link.delay or 0) // 1000,
        "expires_at": rfc3339(link.expires),
        "asks_for_code": link.challenged,
    }


def _mail(mail: MailPreview) -> dict[str, Any]:
    return {
        "locale": _locale(mail.wording),
        "subject": mail.words.subject,
        "preheader": mail.preheader,
        "html": mail.words.html,
        "text": mail.words.text,
    }


def _sms(sms: SmsPreview) -> dict[str, Any]:
    return {"locale": _locale(sms.wording), "text": sms.text, "segments": asdict(sms.segments)}


def _item(item: ItemPreview) -> dict[str, Any]:
    words = item.words
    return {"locale": _locale(item.wording), "title": words.title, "html": words.html, "text": words.text}


def _locale(wording: Wording) -> dict[str, Any]:
    return {"asked": wording.asked, "chosen": wording.locale, "reason": wording.reason}
