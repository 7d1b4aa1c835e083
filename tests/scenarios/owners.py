"""Who goes through the flows: an owner in each of five languages, and what a platform says to them in it."""

from dataclasses import dataclass

ACCOUNT = "acct-1001"


@dataclass(frozen=True, slots=True)
class Owner:
    """`tag` is the language as a producer writes it, `locale` the one that it is answered in.

    The platform's own sentences: `documents` are missing, a `photo` is not good, a `payment` is being checked,
    something was `seen`.
    """

    tag: str
    locale: str
    language: str
    name: str
    email: str
    new_email: str
    phone: str
    timezone: str
    phrase: str
    place: str
    documents: str
    photo: str
    payment: str
    seen: str

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def recipient(self) -> dict[str, str]:
        return {
            "email": self.email,
            "phone": self.phone,
            "locale": self.tag,
            "timezone": self.timezone,
            "name": self.name,
            "antiphishing_phrase": self.phrase,
        }


OWNERS = (
    Owner(
        tag="en",
        locale="en",
        language="English",
        name="Emma Hughes",
        email="emma@mail.example",
        new_email="emma.hughes@post.example",
        phone="+447400123456",
        timezone="Europe/London",
        phrase="blue heron",
        place="Leeds, United Kingdom",
        documents="We need a new identity document.",
        photo="The photo is too dark.",
        payment="We are checking your last payment.",
        seen="Three withdrawals in ten minutes.",
    ),
    Owner(
        tag="sq-AL",
        locale="sq",
        language="Albanian",
        name="Arta Hoxha",
        email="arta@mail.example",
        new_email="arta.hoxha@post.example",
        phone="+355691234567",
        timezone="Europe/Tirane",
        phrase="shqiponja e bardhë",
        place="Tiranë, Shqipëri",
        documents="Na duhet një dokument i ri identiteti.",
        photo="Fotografia është shumë e errët.",
        payment="Po kontrollojmë pagesën tuaj të fundit.",
        seen="Tri tërheqje brenda dhjetë minutave.",
    ),
    Owner(
        tag="no",
        locale="nb",
        language="Norwegian",
        name="Ingrid Dahl",
        email="ingrid@mail.example",
        new_email="ingrid.dahl@post.example",
        phone="+4741234567",
        timezone="Europe/Oslo",
        phrase="rød bølge",
        place="Bergen, Norge",
        documents="Vi trenger et nytt identitetsdokument.",
        photo="Bildet er for mørkt.",
        payment="Vi kontrollerer den siste betalingen din.",
        seen="Tre uttak på ti minutter.",
    ),
    Owner(
        tag="ru",
        locale="ru",
        language="Russian",
        name="Анна Соколова",
        email="anna@mail.example",
        new_email="anna.sokolova@post.example",
        phone="+79161234567",
        timezone="Europe/Moscow",
        phrase="тихий берег",
        place="Казань, Россия",
        documents="Нам нужен новый документ, удостоверяющий личность.",
        photo="Фотография слишком тёмная.",
        payment="Мы проверяем ваш последний платёж.",
        seen="Три вывода средств за десять минут.",
    ),
    Owner(
        tag="sv-SE",
        locale="sv",
        language="Swedish",
        name="Elsa Lindqvist",
        email="elsa@mail.example",
        new_email="elsa.lindqvist@post.example",
        phone="+46701234567",
        timezone="Europe/Stockholm",
        phrase="grön gran",
        place="Göteborg, Sverige",
        documents="Vi behöver en ny identitetshandling.",
        photo="Bilden är för mörk.",
        payment="Vi kontrollerar din senaste betalning.",
        seen="Tre uttag på tio minuter.",
    ),
)
