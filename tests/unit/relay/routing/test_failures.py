"""What a failure says of the target, whether another may do better, and what the client is told of it."""

from __future__ import annotations

import pytest
from support.books import NOW_US
from support.labs import fault, stage
from support.playbook import ANSWER, PLAIN, SECRET, Exchange

from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code
from softix_proxy.relay.core.redaction import Redaction
from softix_proxy.relay.routing import failures
from softix_proxy.relay.routing.target_pool import AttemptOutcome

CHAT = ENDPOINTS["chat_completions"]


@pytest.mark.parametrize(
    ("status", "body", "outcome", "repeatable"),
    [
        (404, b"{}", AttemptOutcome.DONE, False),
        (400, b"{}", AttemptOutcome.DONE, False),
        (302, b"", AttemptOutcome.DONE, False),
        (401, b"{}", AttemptOutcome.REFUSED, True),
        (403, b"{}", AttemptOutcome.REFUSED, True),
        (429, b"{}", AttemptOutcome.LIMITED, True),
        (429, b'{"error":{"code":"insufficient_quota"}}', AttemptOutcome.REFUSED, True),
        (500, b"{}", AttemptOutcome.FAILED, True),
        (200, b'{"error":{"code":429}}', AttemptOutcome.LIMITED, True),
        (200, b'{"error":{"code":502}}', AttemptOutcome.FAILED, True),
        (200, b'{"error":{"code":401}}', AttemptOutcome.REFUSED, True),
        (200, b'{"error":{"code":404}}', AttemptOutcome.DONE, False),
        (200, b'{"error":{"type":"invalid_request_error"}}', AttemptOutcome.DONE, False),
        (200, b"<html>", AttemptOutcome.FAILED, True),
    ],
)
def test_failure_of_each_response_has_the_outcome_of_its_error(
    status: int, body: bytes, outcome: AttemptOutcome, repeatable: bool
) -> None:
    failure = failures.of_answer(classify(status, (), body, CHAT), (("retry-after", "7"),), NOW_US)
    assert (failure.outcome, failure.repeatable, failure.wait_us) == (outcome, repeatable, 7_000_000)


def test_outcome_of_good_response_is_done() -> None:
    assert failures.outcome_of(classify(200, (), ANSWER, CHAT)) is AttemptOutcome.DONE


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (Code.PROVIDER_REFUSED, AttemptOutcome.REFUSED),
        (Code.PROVIDER_BUSY, AttemptOutcome.ABANDONED),
        (Code.PROVIDER_TIMEOUT, AttemptOutcome.FAILED),
    ],
)
def test_failure_of_provider_fault_is_repeatable_with_its_outcome(code: Code, outcome: AttemptOutcome) -> None:
    failure = failures.of_fault(fault(code))
    assert (failure.outcome, failure.error, failure.told, failure.repeatable) == (outcome, code.value, None, True)


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in SECRET).encode()


@pytest.mark.parametrize("key", [b"a/b/c+d/e", b"a\\/b\\/c+d\\/e", b"a\\/b/c\\u002Bd/e"])
def test_tellable_error_with_the_key_in_any_spelling_of_slashes_is_redacted(key: bytes) -> None:
    found = classify(400, (), b'{"error":{"message":"%b"}}' % key, CHAT)
    assert failures.tellable(found, Redaction("a/b/c+d/e")) == (400, b'{"error":{"message":"[redacted]"}}')
    assert failures.tellable(found, Redaction("another key")) == found.told


@pytest.mark.parametrize(("status", "key"), [(500, SECRET.encode()), (200, SECRET.encode()), (400, ESCAPED)])
def test_tellable_error_with_the_operator_key_is_redacted(status: int, key: bytes) -> None:
    found = classify(status, (), b'{"error":{"code":500,"message":"%b"}}' % key, CHAT)
    told = failures.tellable(found, Redaction(SECRET))
    assert told is not None and told.body == b'{"error":{"code":500,"message":"[redacted]"}}'
    assert failures.unsayable(found).code is Code.PROVIDER_REFUSED
    failure = failures.of_answer(found, (), NOW_US)
    assert failure.told is not None and SECRET not in repr(failure) and SECRET not in repr(found)
    assert failures.unsayable(None).code is Code.PROVIDER_REFUSED
    assert failures.unsayable(classify(200, (), b"", CHAT)).code is Code.PROVIDER_BROKE_OFF


async def test_request_error_with_status_200_is_passed_on_without_retry() -> None:
    at = stage()
    body = b'{"error":{"message":"too long","code":"context_length_exceeded"}}'
    at.upstream.answers = {"lab": [Exchange(body)], "two": []}
    await at.serve(PLAIN)
    at.settled_once()
    assert (at.client.status, at.client.body, at.upstream.asked) == (400, body, ["lab"])


async def test_rate_limit_error_with_status_200_pauses_the_target() -> None:
    at = stage()
    at.upstream.answers = {"lab": [Exchange(b'{"error":{"code":429}}')], "two": [Exchange(ANSWER), Exchange(ANSWER)]}
    await at.serve(PLAIN)
    await at.serve(PLAIN)
    assert at.upstream.asked == ["lab", "two", "two"]
