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


async def test_response_of_softix_has_a_request_id_and_a_cost() -> None:
    told = await composed(web.json_response({}))(context())
    assert told.headers["x-softix-request-id"] == "req_7" and told.headers["server"] == "softix"
    assert (told.headers["x-softix-cost-usd"], told.headers["x-softix-overhead-ms"]) == ("0.00", "2.500")


async def test_text_response_of_softix_has_a_request_id_and_no_cost() -> None:
    told = await composed(web.Response(text="softix_up 1"))(context())
    assert told.headers["x-softix-request-id"] == "req_7" and "x-softix-cost-usd" not in told.headers


@pytest.mark.parametrize("answer", [FastResponse(200, [], b"{}"), web.StreamResponse(), web.WebSocketResponse()])
async def test_response_of_the_relay_is_unchanged(answer: web.StreamResponse) -> None:
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
async def test_error_of_any_kind_becomes_a_counted_response(
    error: Exception, status: int, code: Code, caplog: pytest.LogCaptureFixture
) -> None:
    asked = context()
    told = await composed(error)(asked)
    assert told.status == status and asked.counted == [("chat", code)] and b"canary" not in told.body
    assert told.headers["x-softix-request-id"] == "req_7" and "x-softix-cost-usd" in told.headers
    assert bool([record for record in caplog.records if record.levelno == logging.ERROR]) is (code is Code.INTERNAL)


async def test_error_while_choosing_the_handler_becomes_a_response() -> None:
    def choose(asked: Any) -> Any:
        raise RefusedError(Code.NOT_FOUND, "x")

    assert (await compose(choose, answer_error, ())(context())).status == 404


async def test_error_with_a_cost_header_keeps_it_in_the_response() -> None:
    error = RefusedError(Code.PROVIDER_TIMEOUT, "x", headers=(("x-softix-cost-usd", "0.50"),))
    assert (await composed(error)(context())).headers["x-softix-cost-usd"] == "0.50"


def test_guards_exist_for_every_kind_of_authentication() -> None:
    assert set(GUARDS) == set(Auth)


async def test_key_guard_with_a_valid_key_sets_the_caller_and_refuses_other_keys() -> None:
    async def enter(credential: str, address: str, user_agent: str, tls: str) -> str:
        assert (address, user_agent, tls) == ("10.0.0.1", "curl/8", "TLSv1.3")
        if credential != "ada":
            raise RefusedError(Code.INVALID_API_KEY, "x")
        return "the caller"

    async def handler(asked: Any) -> Any:
        return asked.caller

    guarded: Any = GUARDS[Auth.API_KEY](handler)
    asked = context(credential="ada", address="10.0.0.1", user_agent="curl/8", tls="TLSv1.3")
    asked.app.lifecycle = SimpleNamespace(enter=enter)
    assert await guarded(asked) == "the caller"
    asked.credential = "bob"
    with pytest.raises(RefusedError):
        await guarded(asked)


async def test_metrics_guard_checks_access_before_the_handler() -> None:
    seen: list[Any] = []

    async def handler(asked: Any) -> Any:
        return "told"

    asked = context(request="request", named={"via": "x"})
    asked.app.metrics_access = SimpleNamespace(admit=lambda *given: seen.append(given))
    guarded: Any = GUARDS[Auth.METRICS_NETWORK](handler)
    assert await guarded(asked) == "told" and seen == [("request", {"via": "x"})]
