from __future__ import annotations

from dataclasses import replace

from support.playbook import LAB, MODEL, PRICE
from support.talk import Line, Talking

from softix_proxy.domain.errors import Code
from softix_proxy.domain.upstream import ProviderFault

UNREACHABLE = ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)


async def test_what_goes_to_the_provider() -> None:
    talking = Talking(models=(replace(MODEL, upstream_name="lab/llama 2"),))
    talking.guest.leave()
    await talking.run()
    [call] = talking.lines.calls
    assert call.path == "/v1/realtime?model=lab%2Fllama%202" and call.body == b""
    assert call.headers == [("x-thing", "1"), ("accept-encoding", "identity")]
    assert talking.guest.accepted


async def test_nobody_answers() -> None:
    talking = Talking(UNREACHABLE)
    assert (await talking.refused_session()).code is Code.PROVIDER_UNREACHABLE
    assert talking.settled() == [("none", 0, "provider_unreachable")] and not talking.guest.accepted
    assert [vitals.in_flight for vitals in talking.fleet.vitals()] == [0]


async def test_another_target_takes_the_call() -> None:
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


async def test_out_of_files_no_other_target_is_asked_and_none_is_blamed() -> None:
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
    assert [(each.failures, each.in_flight) for each in talking.fleet.vitals()] == [(0, 0)] * 2
