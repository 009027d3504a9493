from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.playbook import ANSWER, LAB, MODEL, PLAIN, PRICE, Exchange, Stage
from support.talk import Line, Talking

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import HTTP_STATUS, Code, RefusedError
from softix_proxy.domain.ports.upstream import ProviderFault, WebSocketRefusedError

UNREACHABLE = ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)


async def test_realtime_connection_sends_model_path_and_allowed_headers_to_the_provider() -> None:
    talking = Talking(models=(replace(MODEL, upstream_name="lab/llama 2"),))
    talking.guest.leave()
    await talking.run()
    [call] = talking.lines.calls
    assert call.path == "/v1/realtime?model=lab%2Fllama%202" and call.body == b""
    assert call.headers == [("openai-beta", "realtime=v1"), ("accept-encoding", "identity")]
    assert talking.guest.accepted


async def test_realtime_session_with_unreachable_provider_is_refused_without_charge() -> None:
    talking = Talking(UNREACHABLE)
    assert (await talking.refused_session()).code is Code.PROVIDER_UNREACHABLE
    assert talking.settled() == [("none", 0, "provider_unreachable")] and not talking.guest.accepted
    assert [stats.in_flight for stats in talking.target_pool.stats()] == [0]


async def test_realtime_connection_after_unreachable_target_uses_another_target() -> None:
    other = replace(LAB, id=2, public_id="prv_two", name="other")
    line = Line()
    talking = Talking(
        UNREACHABLE,
        line,
        providers=(LAB, other),
        models=(MODEL, replace(MODEL, id=2, provider_id=2)),
        prices=(PRICE, replace(PRICE, id=2, model_id=2)),
    )
    talking.guest.leave()
    await talking.run()
    [settlement] = talking.journal.settlements
    assert [call.provider.name for call in talking.lines.calls] == ["lab", "other"]
    assert settlement.intent.provider_id == 2 and len(settlement.failed) == 1
    assert settlement.status_code == 101 and line.aborted


def no_line(status: int, **headers: str) -> WebSocketRefusedError:
    return WebSocketRefusedError(status, [(name.replace("_", "-"), value) for name, value in headers.items()])


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (302, Code.PROVIDER_REFUSED, "provider_error"),
        (400, Code.INVALID_REQUEST, "provider_invalid_request"),
        (401, Code.PROVIDER_REFUSED, "provider_credentials"),
        (403, Code.PROVIDER_REFUSED, "provider_forbidden"),
        (404, Code.NOT_FOUND, "provider_not_found"),
        (429, Code.PROVIDER_BUSY, "provider_rate_limited"),
        (500, Code.PROVIDER_UNREACHABLE, "provider_fault"),
        (504, Code.PROVIDER_TIMEOUT, "provider_timed_out"),
        (200, Code.PROVIDER_BROKE_OFF, "provider_no_answer"),
    ],
)
async def test_realtime_connection_refused_by_the_provider_is_refused_with_a_matching_code(
    status: int, code: Code, error: str
) -> None:
    talking = Talking(no_line(status))
    refused = await talking.refused_session()
    assert refused.code is code and HTTP_STATUS[refused.code] in (502, 504, status)
    assert talking.settled() == [("none", 0, error)] and not talking.guest.accepted


async def test_realtime_connection_refused_with_retry_after_returns_the_wait() -> None:
    assert (await Talking(no_line(429, retry_after="7")).refused_session()).retry_after_s == 7


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500, 503])
async def test_realtime_connection_refused_has_the_effect_of_a_refused_request_on_target_health(status: int) -> None:
    """Told by the vitals, and by when the target and its key are free again."""
    talking, asking = Talking(*[no_line(status)] * 5), Stage()
    for _ in range(5):
        await talking.refused_session()
        asking.upstream.answer = Exchange(b"{}", status=status)
        try:
            await asking.serve(PLAIN)
        except RefusedError:
            pass
    assert _seen(talking) == _seen(asking)


def _seen(stage: Stage) -> dict[str, Any]:
    [stats] = stage.target_pool.stats()
    return {
        "requests": stats.requests,
        "failures": stats.failures,
        "breaker": (stats.breaker.failures, stats.breaker.pauses, stats.breaker.open_until_us),
        "limited_until_us": stats.limited_until_us,
        "last_error": stats.last_error,
        "in_flight": stats.in_flight,
    }


async def test_realtime_connection_to_unknown_model_leaves_target_and_key_available() -> None:
    talking = Talking(no_line(404))
    await talking.refused_session()
    talking.upstream.answer = Exchange(ANSWER)
    [stats] = talking.target_pool.stats()
    assert (stats.failures, stats.limited_until_us, stats.breaker.failures) == (0, 0, 0)


async def test_realtime_connection_refused_for_rate_limit_pauses_the_target_without_a_failure() -> None:
    talking = Talking(no_line(429, retry_after="7"))
    await talking.refused_session()
    [stats] = talking.target_pool.stats()
    assert (stats.failures, stats.breaker.failures) == (0, 0)
    assert stats.limited_until_us == talking.clock.us + 7 * SECOND_US


async def test_realtime_connection_refused_for_its_content_is_not_retried_elsewhere() -> None:
    other = replace(LAB, id=2, public_id="prv_two", name="other")
    world: dict[str, Any] = {
        "providers": (LAB, other),
        "models": (MODEL, replace(MODEL, id=2, provider_id=2)),
        "prices": (PRICE, replace(PRICE, id=2, model_id=2)),
    }
    talking = Talking(no_line(404), Line(), **world)
    await talking.refused_session()
    assert [call.provider.name for call in talking.lines.calls] == ["lab"]
    talking = Talking(no_line(429), Line(), **world)
    talking.guest.leave()
    await talking.run()
    assert [call.provider.name for call in talking.lines.calls] == ["lab", "other"]
    [settlement] = talking.journal.settlements
    assert [failed.error for failed in settlement.failed] == ["provider_rate_limited"]


async def test_realtime_connection_without_open_files_is_refused_without_blaming_targets() -> None:
    other = replace(LAB, id=2, public_id="prv_two", name="other")
    talking = Talking(
        ProviderFault(Code.OUT_OF_FILES, started=False),
        Line(),
        providers=(LAB, other),
        models=(MODEL, replace(MODEL, id=2, provider_id=2)),
        prices=(PRICE, replace(PRICE, id=2, model_id=2)),
    )
    assert (await talking.refused_session()).code is Code.OUT_OF_FILES
    assert [call.provider.name for call in talking.lines.calls] == ["lab"]
    assert talking.settled() == [("none", 0, "out_of_files")]
    assert [(each.failures, each.in_flight) for each in talking.target_pool.stats()] == [(0, 0)] * 2
