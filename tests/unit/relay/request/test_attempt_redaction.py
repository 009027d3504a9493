"""What of a provider's response is the operator's does not reach the client, whatever kind of response it is."""

from __future__ import annotations

import pytest
from support.playbook import ANSWER, DONE, HELLO, PLAIN, SECRET, STOP, STREAM, USAGE, Exchange, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


NAMED = f"{SECRET} of organization org-4Xk2mmPqRz81"
LEFT = b"[redacted] of organization [redacted]"


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_provider_error_with_the_key_and_the_account_is_passed_on_without_them(stage: Stage, status: int) -> None:
    stage.upstream.answer = Exchange(b'{"error":{"code":503,"message":"%b"}}' % NAMED.encode(), status=status)
    await stage.serve(PLAIN)
    assert stage.client.body == b'{"error":{"code":503,"message":"%b"}}' % LEFT
    stage.settled_once()


async def test_result_that_repeats_the_key_is_passed_on_without_it(stage: Stage) -> None:
    answer = ANSWER.replace(b"{", b'{"sent":{"authorization":"Bearer %b"},' % SECRET.encode(), 1)
    stage.upstream.answer = Exchange(answer)
    await stage.serve(PLAIN)
    assert stage.client.body == answer.replace(SECRET.encode(), b"*" * len(SECRET))


@pytest.mark.parametrize("cut", [1, 9, 30, 45])
async def test_stream_that_repeats_the_key_is_passed_on_without_it_wherever_it_is_divided(
    stage: Stage, cut: int
) -> None:
    echo = b'data: {"choices":[],"sent":"%b"}\n\n' % SECRET.encode()
    stage.streams(HELLO, echo[:cut], echo[cut:], STOP, USAGE, DONE)
    await stage.serve(STREAM)
    assert SECRET.encode() not in stage.client.body
    assert echo.replace(SECRET.encode(), b"*" * len(SECRET)) in stage.client.body and HELLO in stage.client.body


async def test_error_within_a_stream_is_passed_on_without_the_key_and_the_account(stage: Stage) -> None:
    stage.streams(HELLO, b'data: {"error":{"message":"%b"}}\n\n' % NAMED.encode())
    await stage.serve(STREAM)
    assert stage.client.body == HELLO + b'data: {"error":{"message":"%b"}}\n\n' % LEFT


async def test_stream_that_begins_with_an_error_is_passed_on_without_the_key_and_the_account(stage: Stage) -> None:
    stage.streams(b'data: {"error":{"message":"%b"}}\n\n' % NAMED.encode())
    await stage.serve(STREAM)
    assert LEFT in stage.client.body and SECRET.encode() not in stage.client.body
