from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.usage import DailyCost, UsageSource
from softix_proxy.domain.reporting.reconciliation import (
    ComparedDay,
    ComparedSums,
    DifferenceCause,
    DifferenceKind,
    Matcher,
    Measure,
    ProviderBillLine,
    Reconciliation,
    explain,
    parse_tolerance,
    undated,
    words,
)

USD, TOKENS = Measure.USD, Measure.TOKENS


def cost(cost_pico: int, source: UsageSource = UsageSource.PROVIDER, **changes: Any) -> DailyCost:
    values = {"unpriced": False, "requests": 2, "tokens": 30, "hold_pico": 3 * cost_pico}
    return DailyCost(1, "m", "m", None, source, cost_pico=cost_pico, **{**values, **changes})


def side(*costs: DailyCost, bill_pico: int = 0, bill_tokens: int | None = None) -> ComparedSums:
    both = ComparedSums()
    for one in costs:
        both.add_cost(one)
    both.add_bill(ProviderBillLine(1, "m", bill_pico, bill_tokens, 1))
    return both


EXACT = cost(1_000_000)
CUT = cost(400_000, UsageSource.PARTIAL)
CRASHED = cost(0, UsageSource.INTERRUPTED, hold_pico=500_000, tokens=0, requests=1)


@pytest.mark.parametrize(
    ("both", "causes"),
    [
        (side(EXACT, bill_pico=1_000_000), []),
        (side(EXACT, bill_pico=1_000_009), [DifferenceCause(DifferenceKind.ROUNDING, 9, 0)]),
        (side(EXACT, bill_pico=1_300_000), [DifferenceCause(DifferenceKind.OUTSIDE, 300_000, 0)]),
        (side(EXACT, bill_pico=700_000), [DifferenceCause(DifferenceKind.NOT_BILLED, -300_000, 2)]),
        (side(EXACT, CRASHED, bill_pico=1_300_000), [DifferenceCause(DifferenceKind.INTERRUPTED, 300_000, 1)]),
        (
            side(EXACT, CRASHED, CUT, bill_pico=3_000_000),
            [
                DifferenceCause(DifferenceKind.INTERRUPTED, 500_000, 1),
                DifferenceCause(DifferenceKind.ESTIMATED, 800_000, 2),
                DifferenceCause(DifferenceKind.OUTSIDE, 300_000, 0),
            ],
        ),
        (
            side(EXACT, CUT, bill_pico=900_000),
            [
                DifferenceCause(DifferenceKind.ESTIMATED, -400_000, 2),
                DifferenceCause(DifferenceKind.NOT_BILLED, -100_000, 4),
            ],
        ),
        (side(cost(5, unpriced=True), bill_pico=70_000), [DifferenceCause(DifferenceKind.UNPRICED, 69_995, 2)]),
        (side(EXACT, bill_pico=1_300_000, bill_tokens=30), [DifferenceCause(DifferenceKind.PRICE, 300_000, 2)]),
        (side(EXACT, bill_pico=700_000, bill_tokens=30), [DifferenceCause(DifferenceKind.PRICE, -300_000, 2)]),
        (side(bill_pico=700_000, bill_tokens=0), [DifferenceCause(DifferenceKind.OUTSIDE, 700_000, 0)]),
    ],
)
def test_difference_between_bill_and_cost_is_split_into_its_causes(
    both: ComparedSums, causes: list[DifferenceCause]
) -> None:
    assert list(explain(both, USD, 1)) == causes


def test_difference_of_half_a_cent_a_line_in_a_bill_of_cents_is_rounding() -> None:
    cent = 10**10
    assert explain(side(cost(cent), bill_pico=cent + cent // 2), USD, cent) == (
        DifferenceCause(DifferenceKind.ROUNDING, cent // 2, 0),
    )


@pytest.mark.parametrize(
    ("both", "causes"),
    [
        (side(EXACT, bill_tokens=40), [DifferenceCause(DifferenceKind.OUTSIDE, 10, 0)]),
        (side(EXACT, CRASHED, bill_tokens=40), [DifferenceCause(DifferenceKind.INTERRUPTED, 10, 1)]),
        (side(EXACT, CUT, bill_tokens=70), [DifferenceCause(DifferenceKind.ESTIMATED, 10, 2)]),
        (
            side(EXACT, CUT, bill_tokens=20),
            [DifferenceCause(DifferenceKind.ESTIMATED, -30, 2), DifferenceCause(DifferenceKind.NOT_BILLED, -10, 4)],
        ),
    ],
)
def test_difference_in_tokens_is_split_into_its_causes(both: ComparedSums, causes: list[DifferenceCause]) -> None:
    assert list(explain(both, TOKENS, 1)) == causes


amounts = st.integers(-(10**9), 10**15)
costs = st.builds(
    cost,
    st.integers(0, 10**12),
    st.sampled_from(UsageSource),
    unpriced=st.booleans(),
    requests=st.integers(0, 9),
    tokens=st.integers(0, 10**6),
    hold_pico=st.integers(0, 10**12),
)


@given(
    st.lists(costs, max_size=4),
    amounts,
    st.none() | st.integers(0, 10**6),
    st.sampled_from(Measure),
    st.integers(1, 10**12),
)
def test_causes_of_any_difference_add_up_to_it(
    given_costs: list[DailyCost], bill_pico: int, bill_tokens: int | None, measure: Measure, step_pico: int
) -> None:
    both = side(*given_costs, bill_pico=bill_pico, bill_tokens=bill_tokens)
    causes = explain(both, measure, step_pico)
    difference = both.theirs(measure) - both.ours(measure)
    assert sum(cause.amount for cause in causes) == difference
    assert all(cause.amount * difference > 0 for cause in causes)


def test_compared_sums_added_up_contain_both_sides() -> None:
    both = side(EXACT, bill_pico=5)
    both.add(side(CUT, CRASHED, bill_pico=7, bill_tokens=3))
    assert (both.bill_pico, both.bill_tokens, both.bill_lines, both.cost_pico) == (12, 3, 2, 1_400_000)
    assert (both.requests, both.interrupted, both.estimated, both.interrupted_hold_pico) == (5, 1, 2, 500_000)


def report(*pairs: tuple[int, int], tolerance: Fraction = Fraction(0)) -> Reconciliation:
    lines = [
        ComparedDay(
            1,
            "m",
            ComparedSums(),
            ours,
            theirs,
            [DifferenceCause(DifferenceKind.OUTSIDE, theirs - ours, 0)] if theirs != ours else [],
        )
        for ours, theirs in pairs
    ]
    return Reconciliation("p", USD, 1, 2, lines, [], [], 0, 0, tolerance)


def test_reconciliation_with_differences_that_cancel_out_counts_each_one() -> None:
    seen = report((100, 90), (100, 110), tolerance=Fraction(1, 10))
    assert (seen.difference, seen.matched, seen.within) == (0, Fraction(9, 10), True)
    assert not report((100, 90), (100, 110), tolerance=Fraction(99, 1000)).within
    assert report((100, 90), (100, 115)).causes() == [DifferenceCause(DifferenceKind.OUTSIDE, 5, 0)]


def test_reconciliation_matched_share_is_between_zero_and_one() -> None:
    assert report().matched == report((5, 5)).matched == 1
    assert report((0, 5)).matched == report((5, 0)).matched == report((5, -5)).matched == 0
    assert report((5, 5)).within


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt 4o 0806", "gpt 4o"),
        ("us.anthropic.claude-sonnet-4-6-20260501-v1:0", "claude-sonnet-4-6"),
        ("GPT-4.1-mini", "gpt-4.1-mini"),
        ("o1", "o1"),
        ("anthropic.", "anthropic."),
    ],
)
def test_undated_model_name_has_no_date_version_or_region(name: str, short: str) -> None:
    assert undated(name) == short


def test_words_of_model_names_ignore_spelling_order_and_date() -> None:
    assert (
        words("Claude4.6Sonnet")
        == words("Claude Sonnet 4.6")
        == words("claude-sonnet-4-6-20260501")
        == "4 6 claude sonnet"
    )
    assert words("gpt 4o 0806") == words("gpt-4o")
    assert words("gpt-4o") != words("gpt-4o-mini")


def test_matcher_prefers_the_same_name_then_the_undated_name_then_the_words() -> None:
    matcher = Matcher(["gpt-4o-2024-08-06", "gpt-4o-mini", "Claude Haiku 4.5", "Other"])
    assert matcher.match(["gpt-4o-2024-08-06", "gpt-4o"]) == "gpt-4o-2024-08-06"
    assert matcher.match(["gpt-4o"]) == "gpt-4o-2024-08-06"
    assert matcher.match(["gpt-4o-mini-2024-07-18"]) == "gpt-4o-mini"
    assert matcher.match(["claude-haiku-4-5-20251001"]) == "Claude Haiku 4.5"
    assert matcher.match(["llama"]) is None
    assert matcher.unmatched == {"Other"}
    assert matcher.subject("gpt-4o-mini") == "gpt-4o-mini"


def test_matcher_with_indistinguishable_versions_makes_them_one_subject() -> None:
    """The bill has two, and softix recorded the short name only."""
    matcher = Matcher(["gpt-4o-2024-05-13", "gpt-4o-2024-08-06"])
    found = matcher.match(["gpt-4o"])
    assert found is not None
    assert {matcher.subject(name) for name in ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", found)} == {"gpt-4o"}
    assert matcher.unmatched == set()


def test_parse_tolerance_accepts_only_percentages_up_to_one_hundred() -> None:
    assert parse_tolerance("0.5%") == Fraction(1, 200)
    assert parse_tolerance(" 100 % ") == 1
    for wrong in ("0.5", "-1%", "101%", "1e1%", "%", "1,5%"):
        with pytest.raises(BadInputError, match="not a tolerance"):
            parse_tolerance(wrong)
