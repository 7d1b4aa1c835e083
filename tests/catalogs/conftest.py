"""What the tests of catalogs stand on: a checker of the shipped ones, and copies of them to break."""

import shutil
from pathlib import Path

import pytest

import notifier
from notifier.assets import assets
from notifier.catalogs.checker import Checker
from notifier.catalogs.files import Shelf
from tests.rendering.conftest import VOICE

PACKAGE = Path(notifier.__file__).parent
SHIPPED = Shelf(assets("locales"))


def checker_of(shelf: Shelf, templates: Path | None = None) -> Checker:
    return Checker(shelf, templates or assets("templates"), PACKAGE, VOICE)


@pytest.fixture(scope="session")
def checker() -> Checker:
    """Of the shipped catalogs; what it knows of the templates is worked out once."""
    return checker_of(SHIPPED)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """Of a copy of the shipped catalogs, for tests that change what stands beside one."""
    directory = tmp_path_factory.mktemp("own") / "locales"
    shutil.copytree(SHIPPED.directory, directory)
    return checker_of(Shelf(directory))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A copy of the shipped catalogs."""
    shutil.copytree(SHIPPED.directory, tmp_path / "locales")
    return Shelf(tmp_path / "locales")
