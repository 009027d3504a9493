import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from support.holds import REFUSED, Meter, answer, make_hold, send
from support.playbook import LAB, MODEL, SHEET, Journal

from softix_proxy.dialects.core.base import RequestSpec, UsageReport, Written
from softix_proxy.dialects.core.classification import Classification
from softix_proxy.domain.core.errors import Code, FailureError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.hold import Hold

REPORT = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})
CHARGE_PICO = 737 * 10**6 // 10


@pytest.fixture
def journal() -> Journal:
    return Journal()


def answering(journal: Journal, **changes: Any) -> Hold:
    hold = send(make_hold(journal, **changes))
    hold.head(200)
    return hold


async def settled(hold: Hold) -> Settlement:
    async with hold:
        pass
    assert hold.settlement is not None
    return hold.settlement


# Exits


@pytest.mark.parametrize(
    ("error", "code"),
    [(None, None), (asyncio.CancelledError(), "shutting_down"), (KeyError("x"), "internal"), (ClientGoneError(), None)],
)
async def test_hold_on_every_exit_is_settled_once_with_the_reason(
    journal: Journal, error: BaseException | None, code: str | None
) -> None:
    try:
        async with send(make_hold(journal)):
            if error is not None:
                raise error
    except BaseException as raised:
        assert raised is error
    [found] = journal.settlements
    assert (found.error, found.status_code, found.source) == (code, 503, UsageSource.INTERRUPTED)


async def test_hold_settled_earlier_is_not_settled_again_on_exit(journal: Journal) -> None:
    async with answering(journal) as hold:
        hold.completed(answer(REPORT))
        assert await hold.settle() is not None
        assert hold.settlement is journal.settlements[0]
    assert len(journal.settlements) == 1


async def test_settlement_that_cannot_be_written_raises_nothing_and_is_kept_on_the_hold(journal: Journal) -> None:
    journal.failure = FailureError("a settlement could not be written", "the next start closes it")
    async with answering(journal) as hold:
        pass
    assert hold.settlement is journal.settlements[0]


async def test_settlement_of_completed_hold_has_the_charge_of_its_report(journal: Journal) -> None:
    hold = answering(journal)
    hold.completed(answer(REPORT))
    found = await settled(hold)
    assert (found.source, found.charge_pico, found.tokens_held) == (UsageSource.PROVIDER, CHARGE_PICO, 3)
    assert (found.status_code, found.error, found.intent) == (200, None, hold.intent)


async def test_charge_above_the_hold_is_logged_as_an_error_without_content(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    hold = answering(journal, hold_pico=5)
    hold.completed(answer(REPORT))
    journal.available_pico = 7
    with caplog.at_level(logging.WARNING):
        found = await settled(hold)
    assert (found.charge_pico, found.note) == (12, "above_hold limited_to_balance")
    [record] = caplog.records
    assert record.levelno == logging.ERROR and "softix bounds list" in record.message
    told = {name: record.__dict__[name] for name in ("model_id", "members", "above_hold_usd", "charged_usd")}
    above = format_usd(CHARGE_PICO - 5)
    assert told == {"model_id": 1, "members": "", "above_hold_usd": above, "charged_usd": "0.000000000012"}


async def test_hold_of_postpaid_user_is_charged_in_full(journal: Journal) -> None:
    hold = answering(journal, hold_pico=5)
    hold.plan = replace(hold.plan, intent=replace(hold.intent, postpaid=True))
    hold.completed(answer(REPORT))
    assert (await settled(hold)).charge_pico == CHARGE_PICO


# What is seen


async def test_hold_with_several_failures_keeps_the_first_one(journal: Journal) -> None:
    hold = answering(journal)
    hold.failed(ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    hold.failed(ProviderFault(Code.PROVIDER_TIMEOUT, started=True))
    hold.client_left()
    hold.cut_short(Code.SHUTTING_DOWN)
    assert (hold.error, hold.client_is_gone) == ("provider_broke_off", True)
    assert (await settled(hold)).status_code == 200


async def test_hold_failed_before_a_response_has_the_status_of_the_refusal(journal: Journal) -> None:
    hold = send(make_hold(journal))
    hold.failed(ProviderFault(Code.PROVIDER_TIMEOUT, started=True))
    found = await settled(hold)
    assert (found.status_code, found.error, found.source) == (504, "provider_timeout", UsageSource.INTERRUPTED)


@pytest.mark.parametrize("started", [False, True])
async def test_hold_with_fault_before_the_request_started_has_no_usage(journal: Journal, started: bool) -> None:
    hold = send(make_hold(journal))
    hold.failed(ProviderFault(Code.PROVIDER_UNREACHABLE, started=started))
    assert (await settled(hold)).source is (UsageSource.INTERRUPTED if started else UsageSource.NONE)


async def test_hold_withheld_after_sending_is_charged_nothing(journal: Journal) -> None:
    hold = send(make_hold(journal))
    hold.withheld(Code.BODY_TOO_LARGE)
    found = await settled(hold)
    assert (found.source, found.status_code, found.error) == (UsageSource.NONE, 413, "body_too_large")


async def test_hold_withheld_with_client_disconnect_is_charged_nothing(journal: Journal) -> None:
    hold = send(make_hold(journal))
    hold.withheld()
    hold.client_left()
    found = await settled(hold)
    assert (found.source, found.status_code, found.error) == (UsageSource.NONE, 499, "client_hung_up")


async def test_hold_completed_with_error_response_has_its_proper_status(journal: Journal) -> None:
    hold = answering(journal)
    hold.body()
    hold.completed(REFUSED, status_code=400)
    found = await settled(hold)
    assert (found.source, found.status_code, found.error) == (UsageSource.NONE, 400, "provider_invalid_request")


async def test_hold_completed_with_error_and_usage_is_charged(journal: Journal) -> None:
    hold = answering(journal)
    hold.completed(Classification("provider_fault", 502, REPORT), status_code=502)
    found = await settled(hold)
    assert (found.charge_pico, found.status_code, found.error) == (CHARGE_PICO, 502, "provider_fault")


async def test_hold_completed_without_report_is_estimated_from_the_text(journal: Journal) -> None:
    hold = answering(journal)
    hold.completed(answer(), seen_tokens=25)
    found = await settled(hold)
    assert (found.source, found.meters["output_tokens"], found.meters["input_tokens"]) == (
        UsageSource.ESTIMATE,
        -(-25 * 5 // 4),
        401,
    )


@pytest.mark.parametrize(
    ("first", "last", "tokens"),
    [(None, REPORT, 20), (REPORT, None, 20), (UsageReport({"output_tokens": 1}), REPORT, 20)],
)
async def test_hold_of_stream_with_several_reports_is_charged_by_the_last(
    journal: Journal, first: UsageReport | None, last: UsageReport | None, tokens: int
) -> None:
    hold = answering(journal)
    hold.streaming(Meter(last))
    hold.completed(answer(first))
    assert (await settled(hold)).meters["output_tokens"] == tokens


@pytest.mark.parametrize(("at_end", "error"), [(True, None), (False, "client_hung_up")])
async def test_hold_after_disconnect_at_the_end_of_a_stream_has_no_error(
    journal: Journal, at_end: bool, error: str | None
) -> None:
    hold = answering(journal)
    hold.streaming(Meter(REPORT))
    hold.client_left(at_end=at_end)
    assert hold.error == "client_hung_up", "as long as no last report came"
    hold.completed(answer(REPORT))
    found = await settled(hold)
    assert (found.source, found.error) == (UsageSource.PROVIDER, error)


async def test_hold_after_disconnect_following_completion_is_unchanged(journal: Journal) -> None:
    hold = answering(journal)
    hold.completed(answer(REPORT))
    hold.client_left()
    found = await settled(hold)
    assert (found.source, found.error, hold.client_is_gone) == (UsageSource.PROVIDER, None, False)


async def test_hold_of_stream_with_given_estimate_is_charged_by_it(journal: Journal) -> None:
    hold = answering(journal)
    hold.streaming(Meter())
    hold.estimated({"audio_output_tokens": 9})
    found = await settled(hold)
    assert (found.source, found.meters) == (UsageSource.ESTIMATE, {"audio_output_tokens": 9, "requests": 1})


async def test_hold_with_response_taken_back_is_as_before(journal: Journal) -> None:
    hold = make_hold(journal)
    hold.connected(101)
    hold.dispatched(rested=True)
    hold.started()
    hold.head(101)
    hold.streaming(Meter(REPORT, 9))
    hold.chunk()
    hold.client_left()
    hold.taken_back()
    assert (hold.meter, hold.error, hold.client_is_gone) == (None, None, False)
    found = await settled(hold)
    assert (found.source, found.status_code, found.error, found.ttfb_ms) == (UsageSource.NONE, 101, None, None)


@pytest.mark.parametrize(("finishing", "ended"), [(True, False), (False, True), (False, False)])
async def test_hold_is_finishing_once_the_model_has_stopped(journal: Journal, finishing: bool, ended: bool) -> None:
    hold, meter = answering(journal), Meter()
    meter.finishing, meter.ended = finishing, ended
    hold.streaming(meter)
    assert hold.is_finishing == (finishing or ended) and not hold.is_complete
    hold.completed(answer(REPORT))
    assert hold.is_finishing and hold.is_complete
    await hold.settle()
    assert hold.is_finishing


# Attempts that failed


async def test_hold_retried_after_failure_records_the_attempt_and_begins_anew(journal: Journal) -> None:
    hold = answering(journal)
    [first], intent = hold.plan.targets, hold.intent
    second = Target(replace(MODEL, id=2), replace(LAB, id=2), Rate(8, SHEET), first.endpoint, first.leg)
    hold.plan = replace(hold.plan, targets=[first, second], bounds=[Bound(fixed_pico=70), Bound(fixed_pico=80)])
    hold.streaming(Meter(REPORT))
    hold.chunk()
    hold.failed(ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    hold.retried(second)
    assert (hold.target, hold.meter, hold.error) == (second, None, None)
    send(hold)
    hold.head(200)
    hold.completed(answer(UsageReport({"input_tokens": 1})))
    found = await settled(hold)
    [attempt] = found.failed
    assert (attempt.provider_id, attempt.price_id, attempt.error) == (1, 1, "provider_broke_off")
    assert (attempt.source, attempt.charge_pico, attempt.meters) == (
        UsageSource.PARTIAL,
        0,
        {**REPORT.meters, "requests": 1},
    )
    assert found.intent == replace(intent, provider_id=2, model_id=2, price_id=8)
    assert (found.error, found.charge_pico, found.attempts) == (None, 10**6, 2)


@pytest.mark.parametrize(("limit", "bound_pico"), [(None, 1_007), (50, 507), (200, 1_007)])
async def test_failed_attempt_with_unknown_usage_keeps_the_bound_of_its_own_target(
    journal: Journal, limit: int | None, bound_pico: int
) -> None:
    hold = send(make_hold(journal, policy=Policy(16, "bound", 5.0, 1, "provider-billed")))
    hold.plan = replace(hold.plan, bounds=[Bound(fixed_pico=7, token_num=10, output_tokens=100)])
    hold.admitted = replace(hold.admitted, output_limit=limit)
    hold.failed(ProviderFault(Code.PROVIDER_TIMEOUT, started=True))
    hold.retried(hold.target)
    [attempt] = hold.failed_attempts
    assert (attempt.bound_pico, attempt.charge_pico) == (bound_pico, bound_pico)


async def test_failed_attempt_latency_excludes_earlier_attempts(journal: Journal) -> None:
    hold = make_hold(journal)
    for _ in range(2):
        send(hold)
        hold.failed(ProviderFault(Code.PROVIDER_UNREACHABLE, started=False))
        hold.retried(hold.target)
    assert [attempt.latency_ms for attempt in hold.failed_attempts] == [1, 1]  # the clock ticks when it is asked


# Times and headers


async def test_time_to_first_byte_is_that_of_the_first_chunk(journal: Journal) -> None:
    hold = answering(journal)
    hold.streaming(Meter(REPORT))
    hold.chunk()
    hold.chunk()
    hold.completed(answer(REPORT))
    found = await settled(hold)
    assert found.ttfb_ms == 2 and found.latency_ms == 3


async def test_latency_of_realtime_response_counts_from_its_request(journal: Journal) -> None:
    hold = make_hold(journal)
    clock: Any = hold.clock
    clock.ns = 10**12
    hold.connected(101)
    hold.dispatched(rested=True)
    hold.started()
    assert (await settled(hold)).latency_ms == 1


async def test_hold_headers_contain_the_charge_and_the_overhead(journal: Journal) -> None:
    hold = answering(journal)
    assert dict(hold.headers())["x-softix-cost-usd"] == "0.00"
    hold.body()
    hold.completed(answer(REPORT))
    await hold.settle()
    told = dict(hold.headers())
    assert told["x-softix-cost-usd"] == "0.0000737"
    assert (
        float(told["x-softix-overhead-ms"]) == 1 + 3
    )  # before it was sent; then settlement, and each look at the clock


async def test_hold_without_reported_tier_has_the_requested_tier(journal: Journal) -> None:
    hold = answering(journal, spec=RequestSpec("m", service_tier="flex"))
    hold.completed(answer(UsageReport({"input_tokens": 1}, service_tier=None)))
    assert (await settled(hold)).service_tier == "flex"


# What a client that leaves can have hidden

SHOWN = RequestSpec("m", stream=True, hides=frozenset())


class LongMeter(Meter):
    """Of a stream with more text than is counted at once."""

    def written(self) -> Written:
        return Written("x", MOST_COUNTED + 1, 1)


async def test_hold_of_a_stream_that_shows_its_cost_is_estimated_if_the_client_leaves(journal: Journal) -> None:
    hold = answering(journal, spec=SHOWN)
    hold.streaming(Meter())
    assert not hold.reads_on
    hold.client_left()
    assert (await settled(hold)).source is UsageSource.ESTIMATE


@pytest.mark.parametrize("what", ["slow", "long", "unknown"])
@pytest.mark.parametrize("setting", ["drain", "bound"])
async def test_hold_of_a_stream_that_can_hide_its_cost_is_read_on_or_charged_the_bound(
    journal: Journal, what: str, setting: Any
) -> None:
    policy = Policy(16, "nothing", 5.0, 1, hidden_on_hang_up=setting)
    hold = answering(journal, policy=policy, spec=RequestSpec("m") if what == "unknown" else SHOWN)
    hold.streaming(LongMeter() if what == "long" else Meter())
    if what == "slow":
        hold.fell_behind()
    assert hold.reads_on is (setting == "drain")
    hold.client_left()
    found = await settled(hold)
    assert (found.source, found.note, found.charge_pico) == (UsageSource.INTERRUPTED, "end_unseen", found.hold_pico)


async def test_hold_of_a_client_that_leaves_after_the_provider_broke_off_is_not_charged_the_bound(
    journal: Journal,
) -> None:
    hold = answering(journal, spec=RequestSpec("m"))
    hold.failed(ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    hold.client_left()
    found = await settled(hold)
    assert found.note is None and found.charge_pico < found.hold_pico


async def test_hold_of_another_attempt_forgets_that_the_client_fell_behind(journal: Journal) -> None:
    hold = answering(journal, spec=SHOWN)
    hold.streaming(Meter())
    hold.fell_behind()
    hold.failed(ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    hold.retried(hold.target)
    assert not hold.reads_on
