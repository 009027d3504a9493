"""Which models a cap counts, what it is called, and what its state is at an instant."""

from dataclasses import replace

import pytest

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.budgets import BudgetState
from softix_proxy.domain.metering.caps import Cap, CapState, ModelName, stands_for

UTC, NOW_US = Calendar("UTC"), parse_instant("2026-11-25T12:00:00Z")
GPT, ROUTED = ModelName("openai", "gpt-5"), ModelName("router", "openai/gpt-5")


@pytest.mark.parametrize(
    ("models", "of_gpt", "of_routed"),
    [
        ("", True, True),
        ("openai/*", True, False),
        ("router/*", False, True),
        ("gpt-5", True, False),
        ("*/openai/*", False, True),
        ("claude-*", False, False),
    ],
)
def test_cap_counts_the_models_of_its_pattern_by_the_rules_of_rights(
    models: str, of_gpt: bool, of_routed: bool
) -> None:
    state = CapState(1, 1000, "day", models=models)
    assert (state.counts([GPT]), state.counts([ROUTED])) == (of_gpt, of_routed)
    assert state.counts([ROUTED, GPT]) is (of_gpt or of_routed), "one of them is enough"
    assert not models or not stands_for(models, [])


def test_cap_names_itself_to_whoever_it_refuses() -> None:
    assert CapState(1, 5 * 10**12, "day").words() == "cap of $5.00 a day of this API key"
    words = CapState(1, 10**11, "total", models="openai/*", of_user=True).words()
    assert words == "cap of $0.10 for openai/* of the user of this API key"
    assert CapState.code is Code.CAP_REACHED and BudgetState.code is Code.BUDGET_REACHED
    assert BudgetState(1, 5, "day").words() == ""


def test_state_of_a_cap_has_the_amount_in_force_and_its_own_period() -> None:
    cap = Cap(3, 1, None, "gpt-*", "month", 1000, 1, "Europe/Berlin", 15, "50", 3000, NOW_US + 1, 7, NOW_US, 11)
    state = cap.state_at(NOW_US, UTC)
    assert (state.amount_pico, state.held_pico, state.models, state.of_user) == (3000, 7, "gpt-*", True)
    today = UTC.at(NOW_US)
    assert state.start_us(today) == parse_instant("2026-11-14T23:00:00Z")
    assert state.end_us(today) == parse_instant("2026-12-14T23:00:00Z")
    assert (state.spent_in(today), state.room_pico(today)) == (11, 3000 - 11 - 7)
    assert cap.state_at(NOW_US + 1, UTC).amount_pico == cap.amount_at(NOW_US + 1) == 1000
    assert replace(cap, key_id=4).state_at(NOW_US, UTC).of_user is False


def test_total_cap_never_begins_anew() -> None:
    state = Cap(3, 1, 1, "", "total", 1000, 1, spent_at_us=1, spent_pico=400).state_at(NOW_US, UTC)
    today = UTC.at(NOW_US)
    assert (state.spent_in(today), state.end_us(today)) == (400, None)
