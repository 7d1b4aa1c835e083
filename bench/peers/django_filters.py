"""Filters of the Django peer's templates: values with a direction of their own, and amounts."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter  # type: ignore[untyped-decorator]
def own(value: object) -> SafeString:
    """Its own direction."""
    return format_html("<bdi>{}</bdi>", value)


@register.filter  # type: ignore[untyped-decorator]
def ltr(value: object) -> SafeString:
    """Left to right."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)


@register.filter  # type: ignore[untyped-decorator]
def amount(value: str, asset: str) -> str:
    """With its asset."""
    return f"{number_format(Decimal(value))} {asset}"
