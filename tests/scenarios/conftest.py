"""The stage of each flow, and its transcript: docs/scenarios/<flow>.<locale>.md, which `--write-scenarios` rewrites."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from notifier.clock import ms
from notifier.composition import Parts
from notifier.config import load
from notifier.sandbox.mailbox import Mailbox
from notifier.sandbox.phone import Phone
from notifier.sandbox.platform import AccountPlatform
from notifier.sandbox.serving import serving
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.store import connect
from tests.conftest import SetClock
from tests.ports import HOST
from tests.scenarios.diary import Diary
from tests.scenarios.owners import OWNERS, Owner
from tests.scenarios.reading import Words, plain
from tests.scenarios.stage import Edges, Stage, serviced
from tests.service import environment

SCENARIOS = Path(__file__).parents[2] / "docs" / "scenarios"
# A time of our choice, or the transcripts would be others each day; and one to come, since the store, which is real,
# drops a record whose end has passed by its own clock.
START = datetime(2040, 3, 5, 9, 0, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("scenarios")
    group.addoption("--write-scenarios", action="store_true", help="rewrite the transcripts in docs/scenarios")


@pytest.fixture(params=OWNERS, ids=lambda owner: owner.locale)
def owner(request: pytest.FixtureRequest) -> Owner:
    made: Owner = request.param
    return made


@pytest.fixture
def clock() -> SetClock:
    return SetClock(ms(START))


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[ArqRedis]:
    """An empty store, and a client that waits for it: a flow is not about how busy the machine is."""
    client = connect(valkey.url, patient=True)
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
async def edges(monkeypatch: pytest.MonkeyPatch, clock: SetClock) -> AsyncIterator[Edges]:
    made = environment()
    async with AsyncExitStack() as stack:
        mailbox = Mailbox()
        smtp = await mailbox.start_smtp(HOST, 0)
        stack.push_async_callback(mailbox.stop)
        phone = Phone(made["NOTIFIER_TWILIO_ACCOUNT_SID"], made["NOTIFIER_TWILIO_AUTH_TOKEN"])
        # The service has a public address here that nobody could report to.
        phone.callbacks = ()
        platform = AccountPlatform(made["NOTIFIER_PLATFORM_SECRETS"], clock=clock)
        phone_port = await stack.enter_async_context(serving(phone.app, HOST, 0, ""))
        platform_port = await stack.enter_async_context(serving(platform.app, HOST, 0, ""))
        made |= {
            "NOTIFIER_SMTP_URLS": f"smtp://{HOST}:{smtp}",
            "NOTIFIER_TWILIO_BASE_URL": f"http://{HOST}:{phone_port}",
            "NOTIFIER_PLATFORM_URL": f"http://{HOST}:{platform_port}/webhooks",
        }
        for name, value in made.items():
            monkeypatch.setenv(name, value)
        yield Edges(mailbox, phone, platform, load())


@pytest.fixture
def diary(request: pytest.FixtureRequest, owner: Owner) -> Diary:
    """The first line of the flow's module says what it is called, the rest of its docstring what it is about."""
    title, _, about = request.module.__doc__.strip().partition("\n\n")
    return Diary(title.rstrip("."), plain(about), owner)


@pytest.fixture
async def stage(owner: Owner, diary: Diary, edges: Edges, redis: ArqRedis, clock: SetClock) -> AsyncIterator[Stage]:
    words = Words(Parts(edges.settings, redis, clock).catalogs.edition.catalog(owner.locale), owner.timezone)
    async with serviced(edges.settings, redis, clock) as service:
        yield Stage(owner, words, diary, edges, clock, redis, service)


@pytest.fixture
def ends(request: pytest.FixtureRequest, owner: Owner, diary: Diary) -> Callable[[], None]:
    """Called at the end of a flow: what its owner saw is what its transcript says."""
    flow = request.path.stem.removeprefix("test_").replace("_", "-")
    transcript = SCENARIOS / f"{flow}.{owner.locale}.md"

    def ends() -> None:
        # This file is read too late for its options when all tests are run: then nothing is rewritten.
        if request.config.getoption("--write-scenarios", False):
            transcript.parent.mkdir(exist_ok=True)
            transcript.write_text(diary.markdown, "utf-8")
        assert transcript.read_text("utf-8") == diary.markdown, "`make scenarios` rewrites what has changed on purpose"

    return ends
