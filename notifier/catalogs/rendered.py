"""Rules for messages as they are rendered: subjects and costs of SMS come in, what to do about them goes out.

Each gives the line, the msgid and the objection.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from babel.messages.catalog import Catalog, Message

from notifier.catalogs.files import ids, key, messages, strings
from notifier.catalogs.findings import Objection
from notifier.catalogs.gsm import spelled
from notifier.catalogs.speech import Cost
from notifier.catalogs.standing import Found
from notifier.catalogs.usage import Form, Place
from notifier.rendering.gate import PLACEHOLDER
from notifier.rendering.segments import outside

# RFC 5322 section 2.1.1; what shows mail cuts a subject long before.
_SUBJECT = 78
# How many notices are named for a letter that costs.
_TOLD = 3

Places = Mapping[str, tuple[Place, ...]]


def perhaps_too_long(catalog: Catalog, places: Places, brand: str) -> list[str]:
    """The notices whose subject has a long string or a placeholder in it; the others' is `[brand]` and a short one."""
    room = _SUBJECT - len(f"[{brand}] ")
    long_ = (
        message for message in messages(catalog) if max(map(len, strings(message))) > room or message.python_format
    )
    found = (place for message in long_ for place in places.get(key(message), ()) if place.form == "subject")
    return sorted({place.name for place in found})


def too_long(catalog: Catalog, places: Places, subjects: Mapping[tuple[str, str], str]) -> Iterator[Found]:
    """Subjects by notice and variant, each with the brand before it."""
    seen = _seen(catalog, places, "subject")
    for (notice, _), subject in subjects.items():
        if (over := len(subject) - _SUBJECT) > 0:
            for message in seen[notice]:
                if _says(subject, strings(message)):
                    problem = f"makes a subject of {len(subject)} characters: {subject}"
                    right = f"at most {_SUBJECT}, the brand included: {over} fewer"
                    yield message.lineno or 0, ids(message)[0], Objection("subject", problem, right)


def perhaps_costly(catalog: Catalog, places: Places, locale: str) -> list[str]:
    """The notices whose SMS has a string with letters that force UCS-2 and a spelling without them."""
    letters = (
        message for message in messages(catalog) if any(spelled(said, locale) is not None for said in strings(message))
    )
    found = (place for message in letters for place in places.get(key(message), ()) if place.form == "sms")
    return sorted({place.name for place in found})


def costly(catalog: Catalog, places: Places, costs: Sequence[Cost]) -> Iterator[Found]:
    """Letters that force UCS-2 where the language has a spelling without them."""
    seen = _seen(catalog, places, "sms")
    by_message: dict[str, tuple[Message, list[Cost]]] = {}
    for cost in costs:
        if cost.spelling is not None:
            for message in seen[cost.notice]:
                if _says(cost.text, strings(message)):
                    by_message.setdefault(key(message), (message, []))[1].append(cost)
    for message, its_costs in by_message.values():
        for string in strings(message):
            if letters := outside(string):
                problem = f"{' '.join(letters)} make whole SMS UCS-2 (segments: {_prices(its_costs)})"
                right = spelled(string, its_costs[0].locale) or string
                yield message.lineno or 0, ids(message)[0], Objection("sms-letters", problem, right)


def _prices(costs: Sequence[Cost]) -> str:
    """Of each notice its dearest variant; the dearest notices first, a few of them."""
    by_notice: dict[str, Cost] = {}
    for cost in sorted(costs, key=lambda cost: -cost.segments.count):
        by_notice.setdefault(cost.notice, cost)
    told = [f"{notice} {_price(cost)}" for notice, cost in by_notice.items()]
    return ", ".join(told[:_TOLD]) + (f", and {len(told) - _TOLD} more" if len(told) > _TOLD else "")


def _price(cost: Cost) -> str:
    return f"{cost.segments.count}, spelled without {cost.spelled.count}" if cost.spelled else str(cost.segments.count)


def _seen(catalog: Catalog, places: Places, form: Form) -> Mapping[str, Sequence[Message]]:
    """By notice the messages that may stand in this form of it."""
    found: dict[str, list[Message]] = defaultdict(list)
    for message in messages(catalog):
        for place in places.get(key(message), ()):
            if place.form == form:
                found[place.name].append(message)
    return found


def _says(text: str, said: Sequence[str]) -> bool:
    """Whether one of these stands in the text, whatever its placeholders have become."""
    return any(all(piece.strip() in text for piece in PLACEHOLDER.split(string)[::2]) for string in said)
