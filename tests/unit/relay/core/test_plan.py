"""Who may ask for what, and what may change meanwhile."""

import json
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import ANSWER, KEY, MICRO, MODEL, PLAIN, USER, Exchange, Stage

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Denied, Stale
from softix_proxy.domain.routing.directory import Changes


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("world", "credential", "code"),
    [
        ({}, None, Code.INVALID_API_KEY),
        ({}, "malformed", Code.INVALID_API_KEY),
        ({}, "unknown", Code.INVALID_API_KEY),
        ({"keys": (replace(KEY, status=KeyStatus.REVOKED),)}, "good", Code.KEY_REVOKED),
        ({"keys": (replace(KEY, allow_ip=("192.168.0.0/16",)),)}, "good", Code.IP_NOT_ALLOWED),
        ({"users": (replace(USER, status=UserStatus.DISABLED),)}, "good", Code.USER_DISABLED),
    ],
)
async def test_request_with_invalid_key_is_refused_before_its_body_is_read(
    world: Any, credential: str | None, code: Code
) -> None:
    stage = Stage(**world)
    assert (await stage.refused(credential=credential)).code is code
    assert stage.journal.story == [] and stage.journal.intents == []


async def test_request_refused_before_admission_leaves_no_trace() -> None:
    for world, body, code in (
        ({}, b"not json", Code.INVALID_REQUEST),
        ({}, PLAIN.replace(b"llama", b"other"), Code.MODEL_NOT_FOUND),
        ({"keys": (replace(KEY, models=("gpt-*",)),)}, PLAIN, Code.MODEL_NOT_FOUND),
    ):
        stage = Stage(**world)  # type: ignore[arg-type]
        assert (await stage.refused(body)).code is code
        assert stage.journal.intents == [] and stage.telemetry.finished_with == []


async def test_request_for_unpriced_model_is_refused_and_noted() -> None:
    stage = Stage(prices=())
    error = await stage.refused()
    assert (
        error.code is Code.MODEL_NOT_PRICED
        and "softix prices set lab/llama --input 0.15 --output 0.60" in error.message
    )
    assert stage.journal.unpriced == [1] and stage.journal.intents == []


async def test_request_with_price_set_just_now_is_charged_at_it(stage: Stage) -> None:
    bare = {**stage.world, "prices": ()}
    stage.directories.versions.insert(0, Changes(6, **bare))
    stage.upstream.answer = Exchange(ANSWER)
    await stage.serve(PLAIN)
    assert stage.journal.unpriced == [] and stage.settlement.charge_pico == 17 * MICRO


async def test_request_with_stale_directory_is_planned_again(stage: Stage) -> None:
    newer = replace(MODEL, upstream_name="newer")
    stage.directories.versions.append(Changes(8, models=(newer,)))
    stage.journal.decisions = [Stale()]
    stage.upstream.answer = Exchange(ANSWER)
    await stage.serve(PLAIN)
    assert [intent.revision for intent in stage.journal.intents] == [7, 8]
    assert json.loads(stage.upstream.calls[0].body)["model"] == "newer"
    stage.settled_once()


async def test_request_with_key_revoked_meanwhile_is_refused(stage: Stage) -> None:
    stage.directories.versions.append(Changes(8, keys=(replace(KEY, status=KeyStatus.REVOKED),)))
    stage.journal.decisions = [Stale()]
    assert (await stage.refused()).code is Code.KEY_REVOKED
    assert stage.upstream.calls == [] and stage.journal.settlements == []


async def test_request_with_ever_changing_directory_is_refused_after_some_attempts(stage: Stage) -> None:
    stage.journal.decisions = [Stale()] * 100
    error = await stage.refused()
    assert error.code is Code.STORAGE_UNAVAILABLE and error.retry_after_s
    assert len(stage.journal.intents) < 20


async def test_request_denied_for_lack_of_money_names_needed_and_available_amounts(stage: Stage) -> None:
    stage.journal.decisions = [Denied(Code.INSUFFICIENT_BALANCE, None, 3 * 10**12, 10**12, 5)]
    error = await stage.refused()
    assert error.code is Code.INSUFFICIENT_BALANCE
    assert error.details["needed"] == "3.00" and error.details["available"] == "1.00"
    assert stage.upstream.calls == [] and stage.journal.settlements == [] and stage.telemetry.finished_with == []
