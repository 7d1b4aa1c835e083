"""A mail that was filled into a mold says what its templates do."""

from dataclasses import replace
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from notifier.assets import assets
from notifier.events import Context
from notifier.notices import NOTICES
from notifier.rendering.i18n import Catalogs
from notifier.rendering.molds import Molds
from notifier.rendering.renderer import Renderer
from tests.rendering.conftest import VARIANTS, VOICE, Compose

# What a stranger may have chosen, and what HTML must not take for its own.
OTHER = {
    "ip": "2001:db8::7",
    "device": "<b>Firefox</b> & \"friends\" 'on' Linux",
    "location": "東京 {{ 7 * 7 }}",
    "reason": "Because <i>so</i>.",
    "address": "0xA1",
    "network": "A&B",
    "amount": "0.2500",
    "fee": "1",
    "asset": "X.Y",
    "withdrawal_id": "other",
}


@pytest.fixture(scope="module")
def fresh(catalogs: Catalogs) -> Renderer:
    """It has seen none of these before, so that it runs each template."""
    return Renderer(assets("templates"), catalogs, VOICE)


@pytest.mark.parametrize("full", [True, False], ids=["all", "none"])
@pytest.mark.parametrize("locale", ["en", "sq", "ru", "ja", "ar"])
@pytest.mark.parametrize(
    ("notice", "context"),
    [pytest.param(n, c, id="-".join((n, *c.values()))) for n in NOTICES for c in ({}, *VARIANTS.get(n, ()))],
)
def test_a_mold_says_what_its_template_says(
    compose_message: Compose, fresh: Renderer, notice: str, context: dict[str, str], locale: str, full: bool
) -> None:
    fields = NOTICES[notice].context.model_fields
    other: dict[str, Any] = {
        name: value for name, value in OTHER.items() if name in fields and (full or fields[name].is_required())
    }
    recipient = {"name": "<Anna> & Co", "antiphishing_phrase": "\"quoted\" 'too'"} if full else {}
    for _ in range(2):
        compose_message(notice, locale, "email", full=full, context=context).mail()
    changed = {"full": full, "context": context | other, "recipient": recipient | {"timezone": "Asia/Tokyo"}}
    case = compose_message(notice, locale, "email", **changed)
    filled = case.mail("o•her@mail.example")
    assert filled == replace(case, renderer=fresh).mail("o•her@mail.example")


class _Facts(Context):
    device: str
    number: int = 0


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'short' if context.device|length < 3 else 'long' }}",
        "{{ context.device|truncate(4, true, '', 0) }}",
        "{% if context.device == 'a' %}a{% else %}b{% endif %}",
        "{% if context.device in ('a', 'b') %}a{% else %}b{% endif %}",
        "{{ context.device[0] }}",
        "{% for letter in context.device %}{{ letter }}-{% endfor %}",
        "{{ context.device|upper }}",
        "{{ {context.device: 1}|length }}",
    ],
)
def test_what_looks_into_a_value_is_run_for_each(source: str) -> None:
    template, molds = Environment(loader=DictLoader({"t.txt": source}), autoescape=False).get_template("t.txt"), Molds()
    for device in ("a", "abcdefgh", "b", "a"):
        facts = {"context": _Facts(device=device), "links": {}, "base_url": "https://x", "origins": ["https://x/"]}
        assert molds.write(template, facts) == template.render(facts)


def test_a_mold_is_made_of_what_comes_again() -> None:
    runs: list[int] = []

    def ran(number: int) -> int:
        runs.append(number)
        return number

    source = "{{ context.device }}{{ ran(context.number) }}"
    environment = Environment(loader=DictLoader({"t.txt": source}), autoescape=False)
    environment.globals["ran"] = ran
    template, molds = environment.get_template("t.txt"), Molds()

    def written(device: str, number: int) -> str:
        return molds.write(template, {"context": _Facts(device=device, number=number), "links": {}})

    # Each the only one of its kind: the template is run once for each.
    assert [written("a", number) for number in range(5)] == [f"a{number}" for number in range(5)]
    assert runs == list(range(5))
    # Met again: once for its words and once for the mold, and never after that.
    assert [written(device, 0) for device in "bcd"] == ["b0", "c0", "d0"]
    assert runs == [*range(5), 0, 0]
