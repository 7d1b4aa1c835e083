"""Any order of events about one account's links, against a model that is plain Python: the ledger must agree."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from arq.connections import ArqRedis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from links.errors import NotValid
from links.ledger import CHALLENGE_ATTEMPTS, Challenge, Judgement, Ledger, Link, State
from links.purposes import purposes
from links.tokens import Token, Tokens
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.store import connect
from tests.links.conftest import actions_of

TABLE = purposes()
# Short lives, so that the machine comes across their ends.
LIVES = {
    "deactivate": 500,
    "reactivate": 500,
    "authorize_device": 60,
    "confirm_withdrawal": 60,
    "activate_account": 200,
}
DELAY = 100
DANGEROUS = ("authorize_device", "confirm_withdrawal", "activate_account")
SUBJECTS = ("one", "two")


@dataclass
class Model:
    """What must be true, said as simply as can be."""

    deactivated: int | None = None
    changed: int = 0
    retired: int = 0
    void: dict[str, int] = field(default_factory=dict)
    newest: dict[tuple[str, str], Link] = field(default_factory=dict)
    # Outcome and time by link, and the same with its link for the action that an account waits for.
    used: dict[str, tuple[str, int]] = field(default_factory=dict)
    pending: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    shut: dict[tuple[str, str], int] = field(default_factory=dict)

    def judge(self, link: Link, now: int) -> tuple[str, int]:
        name = link.purpose.name
        outcome, at = self.used.get(link.identity, ("", 0))
        still = {"deactivate": self.deactivated is not None, "reactivate": self.deactivated is None}
        if outcome and (outcome != "done" or still.get(name, True)):
            return outcome, at
        if name == "deactivate" and self.deactivated is not None:
            return "done", self.deactivated
        if now >= link.expires:
            return "expired", link.expires
        if link.issued <= self.retired:
            return "superseded", self.retired
        if link.issued <= self.void.get(name, 0):
            return "shut" if self.deactivated and name != "reactivate" else "revoked", self.void[name]
        newest = self.newest.get((name, link.subject or ""))
        if newest:
            since = max(newest.issued, self.shut.get((name, link.subject or ""), 0))
            if link.issued < since:
                return "superseded", since
        if name == "reactivate":
            waiting = self.pending.get("deactivate")
            start = self.deactivated if self.deactivated is not None else waiting[1] if waiting else None
            if start is None:
                return "idle", now
            if now < start + DELAY or self.deactivated is None:
                return "early", start + DELAY
        if name in self.pending:
            return self.pending[name][:2]
        if self.wrong.get(link.identity, 0) >= CHALLENGE_ATTEMPTS:
            return "locked", now
        return "open", link.expires


class LinksMachine(RuleBasedStateMachine):
    """One account. Every step asks the ledger and the model the same."""

    url = ""
    issued = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis: ArqRedis = connect(self.url, patient=False)
        self.loop.run_until_complete(self.redis.flushall())
        self.ledger = Ledger(
            self.redis,
            TABLE.values(),
            reactivation_delay=timedelta(milliseconds=DELAY),
            keep=timedelta(days=8),
            keep_audit=timedelta(days=90),
        )
        self.model = Model()
        # Far from now: Redis's own clock ends nothing in the middle of a run. That a use ends with its link is tested
        # beside this.
        self.now = 4_000_000_000_000
        self.count = 0
        self.links: list[Link] = []
        self.keys = [secrets.token_bytes(32)]
        self.tokens: list[tuple[str, bytes, bytes, Link]] = []
        self.actions: list[str] = []

    def teardown(self) -> None:
        self.loop.run_until_complete(self.redis.aclose(close_connection_pool=True))
        self.loop.close()

    @rule(target=issued, name=st.sampled_from(sorted(TABLE)), subject=st.sampled_from(SUBJECTS))
    def issue(self, name: str, subject: str) -> Link:
        purpose = TABLE[name]
        self.count += 1
        named = subject if purpose.supersedes and name != "reactivate" else None
        link = Link(purpose, f"{purpose.letter}{self.count}", "acct", self.now, self.now + LIVES[name], named)
        if named:
            self.write(self.loop.run_until_complete(self.ledger.issued(link)))
            self.model.newest[name, named] = link
        self.links.append(link)
        self.mint(link)
        return link

    def mint(self, link: Link) -> None:
        reference = hashlib.blake2b(link.identity.encode(), digest_size=16).digest()
        token = Tokens(self.keys, TABLE, lambda: self.now).mint(link.purpose, reference, link.issued)
        self.tokens.append((token, self.keys[-1], reference, link))

    @rule(target=issued, link=issued)
    def resend(self, link: Link) -> Link:
        """The same message once more: a copy with an identity of its own."""
        self.count += 1
        copy = replace(link, identity=f"{link.purpose.letter}{self.count}")
        self.links.append(copy)
        self.mint(copy)
        return copy

    @rule()
    def rotate_keys(self) -> None:
        """A new key is appended, and of more than two the oldest is removed: its tokens are refused from here on."""
        self.keys = [*self.keys, secrets.token_bytes(32)][-2:]

    @rule(span=st.sampled_from((0, 1, 20, DELAY - 1, DELAY, 250, 600)))
    def wait(self, span: int) -> None:
        self.now += span

    @rule(link=issued, challenge=st.sampled_from((None, None, "right", "wrong")))
    def consume(self, link: Link, challenge: Challenge) -> None:
        outcome, at = self.model.judge(link, self.now)
        action = f"act{len(self.actions)}"
        judged = self.loop.run_until_complete(self.ledger.consume(link, self.now, action, b"payload", challenge))
        if outcome != "open":
            assert (judged.outcome, judged.at) == (outcome, at)
        elif challenge == "wrong":
            self.model.wrong[link.identity] = self.model.wrong.get(link.identity, 0) + 1
            locked = self.model.wrong[link.identity] == CHALLENGE_ATTEMPTS
            assert judged.outcome == ("locked" if locked else "wrong")
        else:
            assert judged.outcome == "accepted"
            self.actions.append(action)
            self.model.used[link.identity] = ("pending", self.now)
            if link.purpose.name in ("deactivate", "reactivate"):
                self.model.pending[link.purpose.name] = ("pending", self.now, link.identity)
            elif (link.purpose.name, link.subject or "") in self.model.newest:
                self.model.shut[link.purpose.name, link.subject or ""] = link.issued + 1

    @rule(link=issued)
    def twenty_at_once(self, link: Link) -> None:
        outcome, _ = self.model.judge(link, self.now)

        async def press() -> list[Judgement]:
            return await asyncio.gather(
                *(self.ledger.consume(link, self.now, f"act{len(self.actions)}-{i}", b"payload") for i in range(20))
            )

        accepted = [judged for judged in self.loop.run_until_complete(press()) if judged.outcome == "accepted"]
        assert len(accepted) == (1 if outcome == "open" else 0)
        if accepted:
            self.actions.append(accepted[0].action or "")
            self.model.used[link.identity] = ("pending", self.now)
            if link.purpose.name in ("deactivate", "reactivate"):
                self.model.pending[link.purpose.name] = ("pending", self.now, link.identity)
            elif (link.purpose.name, link.subject or "") in self.model.newest:
                self.model.shut[link.purpose.name, link.subject or ""] = link.issued + 1

    @rule(refused=st.booleans())
    def platform_answers(self, refused: bool) -> None:
        """Everything that waits is answered alike."""
        for taken in self.loop.run_until_complete(actions_of(self.ledger).claim(self.now, 30_000, 100)):
            purpose, identity = taken.fields["purpose"].decode(), taken.fields["link"].decode()
            if not refused and purpose == "deactivate":
                self.account_deactivated()
            elif not refused and purpose == "reactivate":
                self.account_reactivated()
            outcome = "refused" if refused else "done"
            assert self.loop.run_until_complete(
                actions_of(self.ledger).finish(taken, "refused" if refused else "done", self.now, b"answer")
            )
            if identity in self.model.used:
                self.model.used[identity] = (outcome, self.now)
            if self.model.pending.get(purpose, ("", 0, ""))[2] == identity:
                self.model.pending.pop(purpose)

    @rule()
    def account_deactivated(self) -> None:
        self.tell("deactivated", 0)

    @rule()
    def account_reactivated(self) -> None:
        self.tell("active", 0)

    @rule(state=st.sampled_from(("active", "deactivated")), late=st.sampled_from((1, 50, 300)))
    def old_news(self, state: State, late: int) -> None:
        self.tell(state, late)

    def tell(self, state: State, late: int) -> None:
        at = self.now - late
        self.loop.run_until_complete(self.ledger.tell("acct", state, at))
        if at <= self.model.changed:
            return
        self.model.changed = at
        if state == "deactivated":
            if self.model.deactivated is None:
                self.model.deactivated = at
            self.model.void |= {name: max(at, self.model.void.get(name, 0)) for name in DANGEROUS}
            self.model.pending.pop("deactivate", None)
        else:
            self.model.deactivated = None
            self.model.retired = at
            self.model.pending.clear()

    @rule(name=st.sampled_from(sorted(TABLE)))
    def revoke(self, name: str) -> None:
        self.loop.run_until_complete(self.ledger.revoke("acct", [TABLE[name]], self.now))
        self.model.void[name] = self.now

    @invariant()
    def every_link_is_judged_as_the_model_does(self) -> None:
        for link in self.links:
            judged = self.loop.run_until_complete(self.ledger.look(link, self.now))
            assert (judged.outcome, judged.at) == self.model.judge(link, self.now), link

    @invariant()
    def a_token_reads_as_its_link_while_its_key_is_listed(self) -> None:
        tokens = Tokens(self.keys, TABLE, lambda: self.now)
        for token, key, reference, link in self.tokens:
            if key in self.keys:
                assert tokens.read(token) == Token(reference, link.purpose, link.issued)
            else:
                with pytest.raises(NotValid):
                    tokens.read(token)

    @invariant()
    def nothing_is_kept_of_a_link_that_was_never_used(self) -> None:
        kept = {key.decode() for key in self.loop.run_until_complete(self.redis.keys("link:*"))}
        touched = self.model.used.keys() | self.model.wrong.keys()
        assert not [link for link in self.links if link.identity not in touched and f"link:use:{link.identity}" in kept]

    def write(self, writes: list[tuple[str | bytes | int, ...]]) -> None:
        async def apply() -> None:
            async with self.redis.pipeline(transaction=True) as pipe:
                for words in writes:
                    pipe.execute_command(*words)
                await pipe.execute()

        self.loop.run_until_complete(apply())


@pytest.mark.timeout(300)
def test_the_ledger_agrees_with_the_model(valkey: EmbeddedValkey) -> None:
    LinksMachine.url = valkey.url
    run_state_machine_as_test(
        LinksMachine,
        settings=settings(
            max_examples=150,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
