"""A name comes in, the folder that travels with the package goes out."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def assets(name: str) -> Path:
    """`templates` or `locales`: at the top of a checkout, inside the package when installed from a wheel."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
