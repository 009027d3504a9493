from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.web.router.middleware import GUARDS, add_cost_headers, add_request_id, answer_error, compose
from softix_proxy.web.router.route import Auth
from softix_proxy.web.server.fast_response import FastResponse


def context(**more: Any) -> Any:
    counted: list[tuple[str, Code]] = []
    monitor = SimpleNamespace(count_refusal=lambda label, code: counted.append((label, code)))
    app = SimpleNamespace(monitor=monitor, clock=SimpleNamespace(monotonic_ns=lambda: 3_500_000))
    fields = {"public_id": "req_7", "family": "openai", "label": "chat", "started_ns": 1_000_000, "caller": None}
    return SimpleNamespace(app=app, counted=counted, **{**fields, **more})


def composed(answer: Any) -> Any:
    async def handler(asked: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return compose(lambda asked: handler, answer_error, (add_request_id, add_cost_headers))


async def test_what_softix_answers_by_itself_has_its_id_and_its_cost() -> None:
    told = await composed(web.json_response({}))(context())
    assert told.headers["x-softix-request-id"] == "req_7" and told.headers["server"] == "softix"
    assert (told.headers["x-softix-cost-usd"], told.headers["x-softix-overhead-ms"]) == ("0.00", "2.500")


async def test_a_text_has_its_id_and_no_cost() -> None:
    told = await composed(web.Response(text="softix_up 1"))(context())
    assert told.headers["x-softix-request-id"] == "req_7" and "x-softix-cost-usd" not in told.headers


@pytest.mark.parametrize("answer", [FastResponse(200, [], b"{}"), web.StreamResponse(), web.WebSocketResponse()])
async def test_what_the_relay_answers_is_left_as_it_is(answer: web.StreamResponse) -> None:
    assert await composed(answer)(context()) is answer
    assert "x-softix-request-id" not in answer.headers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RefusedError(Code.NOT_FOUND, "x"), 404, Code.NOT_FOUND),
        (FailureError("the disk is canary", "make room"), 503, Code.STORAGE_UNAVAILABLE),
        (KeyError("canary"), 500, Code.INTERNAL),
    ],
)
async def test_an_error_of_any_kind_becomes_an_answer_that_is_counted(
    error: Exception, status: int, code: Code, caplog: pytest.LogCaptureFixture
) -> None:
    asked = context()
    told = await composed(error)(asked)
    assert told.status == status and asked.counted == [("chat", code)] and b"canary" not in told.body
    assert told.headers["x-softix-request-id"] == "req_7" and "x-softix-cost-usd" in told.headers
    assert bool([record for record in caplog.records if record.levelno == logging.ERROR]) is (code is Code.INTERNAL)


async def test_an_error_that_nobody_chose_a_handler_for_is_answered_too() -> None:
    def choose(asked: Any) -> Any:
        raise RefusedError(Code.NOT_FOUND, "x")

    assert (await compose(choose, answer_error, ())(context())).status == 404


async def test_the_cost_of_a_failed_request_is_not_told_as_nothing() -> None:
    error = RefusedError(Code.PROVIDER_TIMEOUT, "x", headers=(("x-softix-cost-usd", "0.50"),))
    assert (await composed(error)(context())).headers["x-softix-cost-usd"] == "0.50"


def test_each_kind_of_proof_has_its_guard() -> None:
    assert set(GUARDS) == set(Auth)


async def test_a_route_with_a_key_knows_its_caller_and_refuses_the_rest() -> None:
    async def identify(credential: str, address: str) -> str:
        if credential != "ada":
            raise RefusedError(Code.INVALID_API_KEY, "x")
        return "the caller"

    async def handler(asked: Any) -> Any:
        return asked.caller

    guarded: Any = GUARDS[Auth.API_KEY](handler)
    asked = context(credential="ada", address="10.0.0.1")
    asked.app.lifecycle = SimpleNamespace(identify=identify)
    assert await guarded(asked) == "the caller"
    asked.credential = "bob"
    with pytest.raises(RefusedError):
        await guarded(asked)


async def test_metrics_are_admitted_before_their_handler() -> None:
    seen: list[Any] = []

    async def handler(asked: Any) -> Any:
        return "told"

    asked = context(request="request", named={"via": "x"})
    asked.app.metrics_access = SimpleNamespace(admit=lambda *given: seen.append(given))
    guarded: Any = GUARDS[Auth.METRICS_NETWORK](handler)
    assert await guarded(asked) == "told" and seen == [("request", {"via": "x"})]
