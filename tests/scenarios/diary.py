"""What an owner goes through comes in, step by step; a transcript of it in Markdown goes out, the same each time."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.sandbox.platform import Delivery
from tests.scenarios.owners import Owner
from tests.scenarios.reading import Letter, Page, Text

# What is new in every run: the token of a link, and the digits of a code.
_TOKEN = re.compile(r"(/l/)[\w.~-]+")
_CODE = re.compile(r"(?<![\d+])\d{6}(?!\d)")
_RULE = re.compile(r"\n-{10,}\n")


class Diary:
    """Of one owner."""

    def __init__(self, title: str, about: str, owner: Owner) -> None:
        self._zone = ZoneInfo(owner.timezone)
        self._lines = [f"# {title}", about, f"{owner.name} reads {owner.language} (`{owner.locale}`)."]
        self._genuine: str | None = None

    @property
    def markdown(self) -> str:
        return "\n\n".join(self._lines) + "\n"

    def step(self, at: datetime, title: str) -> None:
        """What happens next; `at` is shown in the owner's zone."""
        local = at.astimezone(self._zone)
        self._lines.append(f"## {local:%A}, {local.day} {local:%B %Y, %H:%M} · {title}")

    def told(self, sentence: str) -> None:
        self._lines.append(sentence)

    def mail(self, letter: Letter) -> None:
        said, _, genuine = letter.text.strip().rpartition("\n" + "-" * 24 + "\n")
        # How to tell a genuine message stands at the end of each: once is enough, as long as it says the same.
        if genuine == self._genuine:
            genuine = "(How to tell that this message is genuine: as above.)"
        else:
            self._genuine = genuine
        parts = "\n\n---\n\n".join(part.strip() for part in (*_RULE.split(said), genuine))
        self._lines += [f"**Mail** to {letter.recipient}: **{_escaped(letter.subject)}**", _quoted(parts)]

    def text(self, text: Text) -> None:
        self._lines += [f"**SMS** to {text.to}", _quoted(text.body)]

    def page(self, page: Page) -> None:
        shown: list[str] = []
        for kind, said in page.blocks:
            if kind == "brand":
                continue
            if kind == "dd":
                shown[-1] = f"{shown[-1]}: {said}"
            elif kind == "button":
                shown.append(f"[ {said} ]")
            elif kind.startswith("leads to"):
                shown.append(f"[ {said} ] → {kind.removeprefix('leads to ')}")
            else:
                shown.append(said)
        title, *rest = shown
        self._lines += [f"**Page**: **{_escaped(title)}**", _quoted("\n\n".join(rest))]

    def platform(self, delivery: Delivery) -> None:
        reference = delivery.body["data"]["reference"]
        self._lines.append(
            f"**Platform** is told, signed: `{delivery.type}` (reference `{reference}`); "
            f"it answers `{json.dumps(delivery.answer, ensure_ascii=False)}`"
        )

    def api(self, asked: str, answers: Sequence[str]) -> None:
        self._lines.append(f"**API** `{asked}`: {' → '.join(answers)}")


def _quoted(text: str) -> str:
    lines = _escaped(text).split("\n")
    # A backslash at the end of a line is CommonMark's hard line break, which no editor trims.
    broken = [
        f"> {line}\\" if line and following else f"> {line}".rstrip()
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ]
    return "\n".join(broken)


def _escaped(text: str) -> str:
    hidden = _CODE.sub("••••••", _TOKEN.sub(r"\1…", text))
    return re.sub(r"([*_<>`\[\]#])", r"\\\1", hidden)
