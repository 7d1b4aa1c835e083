"""What the real service tells of itself after a journey: its metrics agree with what was done, an event is one trace up
to the platform, and every log line is JSON.
"""

import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notifier.notices import NOTICES
from notifier.sandbox.serving import serving
from tests.people import Owner, code, link, mailed, post
from tests.ports import HOST
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = secrets.token_hex(16)
CALLER = secrets.token_hex(8)
OWNER, ASKED, REFUSED = Owner(700, "is-IS"), Owner(701, "sq"), Owner(702, "sv")
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Outside:
    """A collector of traces (OTLP over HTTP), and a platform that takes every action."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    told: list[Request] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/traces", self._collect, methods=["POST"]),
                Route("/webhooks", self._take, methods=["POST"]),
            ]
        )

    async def _collect(self, request: Request) -> Response:
        for resource in ExportTraceServiceRequest.FromString(await request.body()).resource_spans:
            assert "notifier" in {each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    {
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "facts": {
                            each.key.removeprefix("notifier."): each.value.string_value or each.value.int_value
                            for each in span.attributes
                        },
                    }
                    for span in scope.spans
                ]
        return Response(media_type="application/x-protobuf")

    async def _take(self, request: Request) -> Response:
        self.told.append(request)
        return JSONResponse({"outcome": "done"})

    def found(self, name: str, **facts: str) -> dict[str, Any] | None:
        return next((s for s in self.spans if s["name"] == name and facts.items() <= s["facts"].items()), None)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def outside() -> Outside:
    return Outside()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with (
        serving(outside.app, HOST, 0, "") as port,
        running(
            tmp_path_factory.mktemp("telemetry"),
            NOTIFIER_PLATFORM_URL=f"http://{HOST}:{port}/webhooks",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{HOST}:{port}",
            OTEL_BSP_SCHEDULE_DELAY="100",
        ) as service,
    ):
        await journey(service)
        yield service


async def journey(service: Service) -> None:
    """One owner stops their account, one gets a code and mistypes it, one has an address that is dead."""
    service.api.headers["traceparent"] = f"00-{TRACE}-{CALLER}-01"
    mail = await mailed(service, OWNER, OWNER.event("login_succeeded"))
    del service.api.headers["traceparent"]
    await until(lambda: service.texts(OWNER.phone))
    for _ in range(3):
        assert (await service.browser.get(link(mail, "r"))).status_code == 409
    assert (await service.browser.post(link(mail, "d"))).status_code in (200, 202)
    assert (await service.browser.post(link(mail, "d"))).status_code in (202, 409)
    await until(lambda: len(service.mails(OWNER.email)) == 2)

    asked = ASKED.event("password_reset")
    asked["data"]["channels"] = ["email"]
    printed = code(await mailed(service, ASKED, asked))
    (id,) = {(await post(service, asked))["code_id"]}
    for guess in (f"{(int(printed) + 1) % 10**6:06}", printed, printed):
        await service.api.post(f"/v1/codes/{id}/verify", json={"code": guess})

    service.mailbox.refuse_rcpt.append("550 5.1.1 nobody of that name")
    dead = REFUSED.event("login_succeeded")
    dead["data"]["channels"] = ["email"]
    refused = (await post(service, dead))["notifications"][0]["id"]
    await until(lambda: _stands(service, refused, "failed"))
    await until(lambda: _settled(service))


async def _stands(service: Service, id: str, status: str) -> bool:
    return bool((await service.api.get(f"/v1/notifications/{id}")).json()["status"] == status)


async def _settled(service: Service) -> bool:
    queues = (await service.api.get("/v1/queues")).json()
    told = await samples(service)
    delivered = [
        value
        for (name, labels), value in told.items()
        if name == "notifier_reports_total" and ("status", "delivered") in labels
    ]
    return not any(queue["count"] for queue in queues["waiting"].values()) and sum(delivered) == 2


async def samples(service: Service) -> Samples:
    answer = await service.browser.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(told: Samples, name: str, **labels: str) -> float:
    return told[name, frozenset(labels.items())]


async def test_what_became_of_each_notification_is_counted(service: Service) -> None:
    told = await samples(service)
    about = {"channel": "email", "notice": "login_succeeded"}
    accepted = {"status": "accepted", "relay": ""}
    assert value(told, "notifier_notifications_total", locale="en", **about, **accepted) == 1
    assert value(told, "notifier_notifications_total", locale="sv", **about, **accepted) == 1
    assert value(told, "notifier_notifications_total", locale="en", status="sent", relay=HOST, **about) == 1
    assert value(told, "notifier_notifications_total", locale="sv", status="failed", relay=HOST, **about) == 1
    sms = {"channel": "sms", "notice": "account_deactivated", "locale": "en"}
    assert value(told, "notifier_notifications_total", status="sent", relay="twilio", **sms) == 1
    assert value(told, "notifier_reports_total", status="delivered", **sms) == 1
    assert value(told, "notifier_dead_letters", kind="notification") == 1


async def test_the_counts_agree_with_one_another(service: Service) -> None:
    told = await samples(service)
    queues = (await service.api.get("/v1/queues")).json()
    by_status: dict[str, float] = {}
    for (name, labels), count in told.items():
        if name == "notifier_notifications_total":
            status = dict(labels)["status"]
            by_status[status] = by_status.get(status, 0) + count
    assert by_status == queues["counts"] == {"accepted": 6, "sent": 5, "failed": 1}
    for name, queue in queues["waiting"].items():
        assert value(told, "notifier_queue_waiting", queue=name) == queue["count"] == 0
        assert value(told, "notifier_queue_overdue_seconds", queue=name) == 0
    lanes = ("critical", "alert")
    assert [value(told, "notifier_delivery_seconds_count", lane=lane) for lane in lanes] == [3, 2]
    for lane in lanes:
        assert 0 < value(told, "notifier_delivery_seconds_sum", lane=lane) < 60
        assert value(told, "notifier_delivery_seconds_bucket", lane=lane, le="+Inf") > 0


async def test_what_owners_did_is_counted(service: Service) -> None:
    told = await samples(service)
    shown = value(told, "notifier_link_pages_shown_total", purpose="reactivate", outcome="not_needed")
    assert shown == 1  # three times within the hour
    assert value(told, "notifier_link_clicks_total", purpose="deactivate", outcome="consumed") == 1
    assert value(told, "notifier_actions_total", purpose="deactivate", outcome="done") == 1
    assert value(told, "notifier_codes_total", outcome="issued") == 1
    for outcome in ("mismatch", "valid", "used"):
        assert value(told, "notifier_code_checks_total", outcome=outcome) == 1
    assert value(told, "notifier_locale_fallbacks_total", asked="is", served="en") == 2  # the notice that followed too


async def test_what_the_process_answered_is_measured_by_route(service: Service) -> None:
    told = await samples(service)
    count = "notifier_http_request_duration_seconds_count"
    assert value(told, count, method="POST", route="/v1/events", status="202") == 4
    assert value(told, count, method="GET", route="/l/{token}", status="409") == 3
    assert value(told, "notifier_store_up") == value(told, "notifier_worker_heard") == 1
    assert value(told, "process_start_time_seconds") > time.time() - 600


async def test_no_label_grows_with_what_callers_send(service: Service) -> None:
    before = {series for series in await samples(service) if "http" not in series[0]}
    owners = [Owner(710 + number, tag) for number, tag in enumerate(("qa", "qx-Latn", "../../etc"))]
    for owner in owners:
        await post(service, owner.event("login_succeeded"))
        await service.browser.get(f"/{secrets.token_hex(4)}")
        await service.browser.request("MADEUP", f"/l/{secrets.token_hex(16)}")
        await service.api.get(f"/v1/notifications/{secrets.token_hex(13)}")
        await service.api.post(f"/v1/codes/{secrets.token_hex(13)}/verify", json={"code": secrets.token_hex(3)})
    await until(lambda: all(service.mails(owner.email) for owner in owners))
    await until(lambda: all(service.texts(owner.phone) for owner in owners))
    told = await samples(service)
    new = [series for series in told if series not in before and "http" not in series[0]]
    texts = {label for name, labels in new for label in labels}
    assert texts <= {
        *(("notice", notice) for notice in NOTICES),
        *(("locale", locale) for locale in ("en", "sq", "sv")),
        *(("status", status) for status in ("accepted", "sent", "delivered")),
        *(("channel", channel) for channel in ("email", "sms")),
        *(("relay", relay) for relay in ("", HOST, "twilio")),
        ("asked", "other"),
        ("served", "en"),
        ("outcome", "unknown"),
    }
    routes = {dict(labels)["route"] for name, labels in told if name.startswith("notifier_http")}
    assert {"none", "/v1/codes/{code_id}/verify"} < routes
    assert not [route for route in routes if re.search("[0-9a-f]{8}", route)]
    assert {dict(labels)["method"] for name, labels in told if name.startswith("notifier_http")} <= {
        "GET",
        "POST",
        "other",
    }
    everything = (await service.browser.get("/metrics")).text
    for canary in ("mail.example", "+3556912", "acct-", OWNER.event("login_succeeded")["data"]["reference"]):
        assert canary not in everything


async def test_an_event_is_one_trace_up_to_the_platform_and_back(service: Service, outside: Outside) -> None:
    def back() -> dict[str, Any] | None:
        return outside.found("send notification", notice="account_deactivated", channel="email")

    await until(back)
    accepted = outside.found("accept event", notice="login_succeeded", locale="en")
    sent = outside.found("send notification", notice="login_succeeded", channel="email", outcome="sent")
    clicked = outside.found("click link", purpose="deactivate")
    forwarded = await until(lambda: outside.found("forward action", outcome="done"))
    follows = outside.found("accept event", notice="account_deactivated")
    told = back()
    assert accepted
    assert sent
    assert clicked
    assert follows
    assert told
    chain = [accepted, clicked, forwarded, follows, told]
    assert {span["trace"] for span in (*chain, sent)} == {TRACE}
    assert [span["parent"] for span in chain] == [CALLER, *(span["id"] for span in chain[:-1])]
    assert sent["parent"] == accepted["id"]
    assert sent["facts"]["by"] == HOST
    assert clicked["facts"]["action"] == forwarded["facts"]["action"]
    (action,) = outside.told
    assert action.headers["traceparent"] == f"00-{TRACE}-{forwarded['id']}-01"
    for canary in ("mail.example", "3556912", "acct-", "/l/", "203.0.113.24", "Chrome"):
        assert canary not in str(outside.spans)


async def test_what_fails_is_a_trace_of_its_own(service: Service, outside: Outside) -> None:
    failed = await until(lambda: outside.found("send notification", outcome="failed"))
    assert failed["trace"] != TRACE
    assert (failed["facts"]["reason"], failed["facts"]["by"]) == ("smtp_550", HOST)


async def test_an_event_of_a_batch_belongs_where_it_says(service: Service, outside: Outside) -> None:
    traces = [secrets.token_hex(16) for _ in range(2)]
    owners = [Owner(720), Owner(721)]
    events = [
        owner.event("login_succeeded") | {"traceparent": f"00-{trace}-{CALLER}-01"}
        for owner, trace in zip(owners, traces, strict=True)
    ]
    answer = await service.api.post("/v1/events/batch", json=events, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    made = [result["event_id"] for result in answer.json()["results"]]
    await until(lambda: all(outside.found("accept event", event=id) for id in made))
    accepted = [outside.found("accept event", event=id) or {} for id in made]
    assert [span["trace"] for span in accepted] == traces


async def test_every_log_line_is_json_with_ids_and_its_trace(service: Service) -> None:
    lines = []
    for name in ("api", "worker"):
        lines += [json.loads(line) for line in (service.logs / f"{name}.log").read_text().splitlines()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    of = [line for line in lines if line.get("trace") == TRACE]
    assert {line["event"] for line in of} == {"accepted", "sent", "forwarded"}
    assert all(re.fullmatch("[a-z2-7]{26}", line["event_id"]) for line in of)


async def test_without_a_store_only_the_process_is_told_of(service: Service) -> None:
    service.kill("worker")
    service.valkey.stop()
    told = await samples(service)
    assert value(told, "notifier_store_up") == 0
    assert not [name for name, _ in told if name.startswith("notifier_notifications")]
