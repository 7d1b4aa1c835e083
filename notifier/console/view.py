"""The query of a preview page comes in; how the page is shown goes out, and the addresses of other ways to show it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

from starlette.requests import Request

from notifier.catalogs.samples import LENGTHS, Length
from notifier.console.workbench import Look
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.pseudo import PSEUDO_LOCALES

SCHEMES = ("light", "dark")
WIDTHS = ("phone", "desktop")


@dataclass(frozen=True, slots=True)
class View:
    """What is not the first of its choices stands in the address. `frame`: the message alone."""

    path: str = "/preview"
    locale: str = ""
    sample: Length = "typical"
    scheme: str = "light"
    width: str = "phone"
    variant: str = ""
    upload: str = ""
    frame: str = ""

    @classmethod
    def of(cls, request: Request) -> Self:
        """Anything unknown is the first choice."""
        asked = request.query_params

        def one_of(name: str, choices: tuple[Any, ...]) -> Any:
            value = asked.get(name)
            return value if value in choices else choices[0]

        return cls(
            path=request.url.path,
            locale=request.path_params.get("locale", ""),
            sample=one_of("sample", LENGTHS),
            scheme=one_of("scheme", SCHEMES),
            width=one_of("width", WIDTHS),
            variant=asked.get("variant", "")[:64],
            upload=asked.get("upload", "")[:64],
            frame="1" if asked.get("frame") else "",
        )

    @property
    def complete(self) -> bool:
        """English and the pseudo-locales: what they say is not translated by anybody."""
        return self.locale in (SOURCE_LOCALE, *PSEUDO_LOCALES)

    @property
    def look(self) -> Look:
        """At its messages."""
        return Look(self.locale, self.sample, self.upload)

    def at(self, path: str, **changed: str) -> str:
        """An address below `/preview`, shown as this is but for what is changed."""
        other = replace(self, **{"frame": "", "variant": "", **changed})  # type: ignore[arg-type]
        plain = View()
        query = {
            field.name: value
            for field in fields(other)
            if field.name not in ("path", "locale")
            and (value := getattr(other, field.name)) != getattr(plain, field.name)
        }
        return f"/preview{path}" + (f"?{urlencode(query)}" if query else "")

    def here(self, **changed: str) -> str:
        """This page, shown in another way."""
        return self.at(self.path.removeprefix("/preview"), **{"variant": self.variant, **changed})
