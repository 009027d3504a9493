import asyncio
from fractions import Fraction
from typing import Any

import pytest
from support.playbook import KEY, LAB, MODEL, SHEET, USER, Journal, Ticking

from softix_proxy.dialects.base import Ask, UsageReport
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.admission import Admitted, Allowance, Bound, Intent
from softix_proxy.domain.errors import Code
from softix_proxy.domain.keys import KeyLimits
from softix_proxy.domain.money import MAX_PICO
from softix_proxy.domain.pricing import UNKNOWN_COSTS, PriceSheet, Rate
from softix_proxy.domain.routes import RouteLeg
from softix_proxy.domain.upstream import ProviderFault
from softix_proxy.domain.usage import UsageSource
from softix_proxy.relay.inbound import ClientGoneError
from softix_proxy.relay.plan import Caller, Plan, Target
from softix_proxy.relay.policy import Policy
from softix_proxy.relay.settle import Facts, Hold

BODY_BYTES = 401
MICRO = 10**6


def facts(**changes: Any) -> Facts:
    return Facts(**{"started": True, **changes})


REPORT = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})


async def test_the_tier_that_was_asked_for_where_the_answer_does_not_tell() -> None:
    for told, tier in ((None, "flex"), ("standard", "standard")):
        report = UsageReport({"input_tokens": 1}, service_tier=told)
        known = Facts(started=True, complete=True, report=report)
        assert (await settled(known, ask=Ask("m", service_tier="flex"))).service_tier == tier


def hold(journal: Journal, known: Facts, hold_pico: int = 10**9, rate: Rate | None = None, **changes: Any) -> Hold:
    intent = Intent(5, 1, 1, changes.pop("postpaid", False), 1, KeyLimits(), 1, 1, 1, "chat", False, Bound(), 0, 1)
    priced = rate or Rate(1, SHEET, Fraction(11, 10))
    targets = [Target(MODEL, LAB, priced, ENDPOINTS[changes.pop("endpoint", "chat_completions")], RouteLeg(1))]
    charge = changes.pop("interrupted_charge", "nothing")
    values: dict[str, Any] = {
        "journal": journal,
        "clock": Ticking(),
        "ask": Ask("m"),
        "plan": Plan(Caller(USER, KEY), targets, intent, [Bound(fixed_pico=hold_pico)], 0, 1, None),
        "admitted": Admitted(hold_pico, None, 3, Allowance()),
        "body_bytes": BODY_BYTES,
        "policy": Policy(16, charge, 5.0, 1_000_000),
        "started_ns": 0,
        "target": targets[0],
        "facts": known,
    }
    return Hold(**{**values, **changes})


async def settled(known: Facts, error: BaseException | None = None, **options: Any) -> Any:
    journal = Journal()
    try:
        async with hold(journal, known, **options):
            if error is not None:
                raise error
    except BaseException as raised:
        assert raised is error
    [settlement] = journal.settlements
    return settlement


async def test_the_price_with_its_mark_up() -> None:
    found = await settled(facts(report=REPORT, complete=True, status_code=200))
    assert (found.cost_pico, found.charge_pico) == (67 * MICRO, 737 * MICRO // 10)
    assert (found.markup, found.tokens_used, found.tokens_held, found.note) == (Fraction(11, 10), 37, 3, None)


async def test_a_charge_is_limited_to_its_hold() -> None:
    found = await settled(facts(report=REPORT, complete=True), hold_pico=5)
    assert (found.charge_pico, found.cost_pico, found.note) == (5, 67 * MICRO, "limited_to_hold")


async def test_one_who_pays_afterwards_pays_all() -> None:
    found = await settled(facts(report=REPORT, complete=True), hold_pico=5, postpaid=True)
    assert (found.charge_pico, found.note) == (737 * MICRO // 10, None)


async def test_amounts_fit_their_columns() -> None:
    report = UsageReport({"output_tokens": 2**53})
    rate = Rate(1, SHEET, Fraction(10**6))
    found = await settled(facts(report=report, complete=True), postpaid=True, rate=rate)
    assert found.charge_pico == MAX_PICO


async def test_odd_reports_are_noted() -> None:
    report = UsageReport(
        {"input_tokens": 1, "web_search_calls": 2}, clamped=True, service_tier="flex", model_served="m2"
    )
    found = await settled(facts(report=report, complete=True))
    assert found.note == "clamped unpriced:service_tier unpriced:web_search_calls"
    assert (found.service_tier, found.model_served) == ("flex", "m2")


async def test_work_that_no_meter_counts_is_noted() -> None:
    report = UsageReport({"input_tokens": 1, "output_tokens": 1}, unpriced=("image_generation",))
    found = await settled(facts(report=report, complete=True))
    assert (found.note, found.source) == ("unpriced:image_generation", UsageSource.PROVIDER)


async def test_a_fee_is_charged_once_for_what_was_answered() -> None:
    rate = Rate(1, SHEET, request_fee_pico=50)
    answered = await settled(facts(report=UsageReport({"input_tokens": 1}), complete=True), rate=rate)
    assert (answered.fee_pico, answered.cost_pico, answered.charge_pico) == (50, MICRO, MICRO + 50)
    for known in (facts(refused=True), facts(started=False), facts()):
        found = await settled(known, rate=rate)
        assert (found.fee_pico, found.charge_pico) == (0, 0)


@pytest.mark.parametrize(("policy", "charge_pico"), [("nothing", 0), ("bound", 10**9)])
async def test_what_nobody_knows_is_the_operators_choice(policy: str, charge_pico: int) -> None:
    found = await settled(facts(), interrupted_charge=policy)
    assert (found.source, found.charge_pico, found.cost_pico) == (UsageSource.INTERRUPTED, charge_pico, 0)
    assert found.markup == 1


async def test_what_is_not_metered_costs_nothing() -> None:
    found = await settled(facts(report=REPORT, complete=True), endpoint="count_tokens")
    assert (found.source, found.charge_pico, found.meters) == (UsageSource.NONE, 0, {})


@pytest.mark.parametrize(
    ("error", "code"),
    [(None, None), (asyncio.CancelledError(), "shutting_down"), (KeyError("x"), "internal"), (ClientGoneError(), None)],
)
async def test_every_exit_settles_once_and_says_why(error: BaseException | None, code: str | None) -> None:
    found = await settled(facts(), error)
    assert (found.error, found.status_code) == (code, 503)


async def test_to_settle_earlier() -> None:
    journal = Journal()
    async with hold(journal, facts(report=REPORT, complete=True)) as held:
        assert await held.settle() is not None
        assert held.settlement is journal.settlements[0]
    assert len(journal.settlements) == 1


async def test_the_first_word_on_a_failure_stays() -> None:
    known = facts(started=False)
    known.fail(ProviderFault(Code.PROVIDER_UNREACHABLE, started=False))
    assert (known.started, known.error, known.status_code) == (False, "provider_unreachable", 502)
    known.fail(ProviderFault(Code.PROVIDER_TIMEOUT, started=True))
    known.hang_up()
    assert (known.started, known.error, known.status_code, known.hung_up) == (True, "provider_unreachable", 502, True)


OWN = PriceSheet.parse({"bands": [{"prices": {"input": "3", "output": "4", "web_search": "10"}}]})


async def test_the_cost_is_by_the_providers_sheet_and_the_charge_by_the_customers() -> None:
    rate = Rate(7, OWN, costs=Rate(1, SHEET))
    found = await settled(facts(report=REPORT, complete=True), rate=rate)
    assert (found.cost_pico, found.charge_pico, found.cost_price_id) == (67 * MICRO, (21 + 120) * MICRO, 1)
    assert found.note is None
    nothing = await settled(facts(refused=True), rate=rate)
    assert (nothing.cost_pico, nothing.cost_price_id) == (0, None), "no price was applied"


async def test_what_has_no_price_of_the_providers_is_noted_and_not_refused() -> None:
    report = UsageReport({"input_tokens": 1, "web_search_calls": 2})
    options = {"hold_pico": 10**12, "known": facts(report=report, complete=True)}
    found = await settled(**options, rate=Rate(7, OWN, costs=Rate(1, SHEET)))
    assert (found.note, found.cost_pico) == ("uncosted:web_search_calls", MICRO)
    alone = await settled(**options, rate=Rate(7, OWN, costs=UNKNOWN_COSTS))
    assert (alone.note, alone.cost_price_id) == ("uncosted:input_tokens uncosted:web_search_calls", 0)


async def test_what_the_request_counts_is_of_the_cost_where_the_charge_is_in_other_units() -> None:
    letters = PriceSheet.parse({"bands": [{"prices": {"character": "15"}}]})
    ask = Ask("m", counted={"characters": 1000})
    rate = Rate(7, SHEET, costs=Rate(1, letters))
    found = await settled(facts(report=UsageReport({"input_tokens": 7}), complete=True), rate=rate, ask=ask)
    assert (found.cost_pico, found.charge_pico) == (15_000 * MICRO, 7 * MICRO)
    assert found.meters == {"input_tokens": 7, "requests": 1, "characters": 1000}
    assert found.note == "uncosted:input_tokens", "that the charge does not count the letters is no want of a price"
    silent = await settled(facts(complete=True, answer_bytes=40), rate=rate, ask=ask)
    assert (silent.source, silent.charge_pico > 0) == (UsageSource.ESTIMATE, True), "never free for want of tokens"


async def test_an_attempt_that_failed_keeps_the_version_of_its_cost() -> None:
    held = hold(Journal(), facts(report=REPORT, complete=True), rate=Rate(7, OWN, costs=Rate(1, SHEET)))
    held.set_aside(held.target)
    [attempt] = held.failed
    assert (attempt.price_id, attempt.cost_price_id, attempt.cost_pico) == (7, 1, 67 * MICRO)
