import pytest

from softix_proxy.dialects.anthropic.betas import HEADER, SAME_BOUNDS, with_betas
from softix_proxy.dialects.core.base import RequestSpec

SPEC = RequestSpec("claude", members=("tools",))


def widest(value: str) -> tuple[int, int]:
    spec = with_betas(SPEC, value)
    return spec.widest_context_tokens, spec.widest_output_tokens


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("context-1m-2025-08-07", (1_000_000, 0)),
        ("claude-code-20250219, context-1m-2025-08-07 ,effort-2025-11-24", (1_000_000, 0)),
        ("context-500k-2026-01-01,context-2m", (2_000_000, 0)),
        ("output-128k-2025-02-19", (0, 128_000)),
        ("CONTEXT-1M-2025-08-07", (1_000_000, 0)),
        ("wombat-2027-01-01", (1_000_000, 128_000)),
    ],
)
def test_beta_that_may_widen_a_limit_is_counted_and_named(value: str, expected: tuple[int, int]) -> None:
    assert widest(value) == expected
    assert with_betas(SPEC, value).members == ("tools", HEADER)


@pytest.mark.parametrize("value", ["", " , ", ",".join(f"{beta}-2025-01-01" for beta in sorted(SAME_BOUNDS))])
def test_betas_that_widen_nothing_leave_the_spec_as_it_is(value: str) -> None:
    assert with_betas(SPEC, value) is SPEC
