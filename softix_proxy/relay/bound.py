"""Step 3: the most that this request can cost."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from softix_proxy.dialects.base import Ask
from softix_proxy.domain.admission import NOTHING, Bound
from softix_proxy.domain.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, Model
from softix_proxy.domain.pricing import Rate
from softix_proxy.domain.usage import METERS
from softix_proxy.relay.plan import BYTES_PER_TOKEN

TEMPLATE_TOKENS = 1024
"""What a provider's own prompts (chat template, tool descriptions) may add to the tokens of the body."""


@dataclass(frozen=True, slots=True)
class Bounded:
    bound: Bound
    tokens_estimate: int
    """For the tokens-a-minute limit; replaced by what was used at settlement."""


def bound(ask: Ask, body_bytes: int, model: Model, rate: Rate, *, metered: bool, least_tokens: int) -> Bounded:
    """A token is at least a byte of the body, so that the bytes bound the input, and so does the model's context."""
    estimate = body_bytes // BYTES_PER_TOKEN + (ask.max_output_tokens or 0) * ask.choices
    if not metered:
        return Bounded(NOTHING, estimate)
    context = model.context_tokens or DEFAULT_CONTEXT_TOKENS
    input_tokens = context if ask.open_input else min(body_bytes + TEMPLATE_TOKENS, context)
    output_tokens = _output_tokens(ask, model)
    tier = ask.service_tier
    fixed = rate.dearest_input(tier, input_tokens) * input_tokens
    for meter, most in {"requests": 1, **ask.calls}.items():
        fixed += rate.dearest((meter,), tier) * most
    if output_tokens == 0:
        token_num, token_den = 0, 1
    else:
        token_num, token_den = (rate.dearest_output(tier, input_tokens) * ask.choices).as_integer_ratio()
    priced = fixed or token_num or rate.request_fee_pico
    return Bounded(
        Bound(
            # Each meter is rounded on its own, by at most half a pico-USD.
            fixed_pico=ceil(fixed) + rate.request_fee_pico + (len(METERS) if priced else 0),
            token_num=token_num,
            token_den=token_den,
            output_tokens=output_tokens,
            adjustable=ask.max_output_tokens is None and output_tokens > 0,
            least_tokens=min(least_tokens, output_tokens) or 1,
        ),
        estimate,
    )


def _output_tokens(ask: Ask, model: Model) -> int:
    """What was asked for, and no more than the model can."""
    most = model.max_output_tokens
    if ask.max_output_tokens is None:
        return DEFAULT_MAX_OUTPUT_TOKENS if most is None else most
    return ask.max_output_tokens if most is None else min(ask.max_output_tokens, most)
