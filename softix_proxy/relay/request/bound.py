"""Calculates the most that this request can cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import ceil

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.request.fields import unmetered
from softix_proxy.dialects.request.inputs import TEMPLATE_TOKENS
from softix_proxy.domain.catalog.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, Model
from softix_proxy.domain.metering.bounds import NOTHING, Bound, Widening
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.relay.core.plan import BYTES_PER_TOKEN


def estimate(spec: RequestSpec, body_bytes: int) -> int:
    """Estimates the tokens for limits on tokens a minute. Settlement replaces the estimate by the tokens used."""
    return body_bytes // BYTES_PER_TOKEN + (spec.max_output_tokens or 0) * spec.choices


def tokens_bound(spec: RequestSpec, body_bytes: int, bounds: Sequence[Bound]) -> int:
    """Returns the tokens that limits on tokens a minute count until the request is settled.

    The input is estimated. The output counts in full, since it may be as long as the request or the model allows.
    """
    return body_bytes // BYTES_PER_TOKEN + max(bound.output_tokens for bound in bounds) * spec.choices


def bound(
    spec: RequestSpec,
    body_bytes: int,
    model: Model,
    rate: Rate,
    *,
    metered: bool,
    least_tokens: int,
    widening: Widening | None = None,
    adds_input: bool = False,
) -> Bound:
    """Returns the most that the request can cost at this model. Raises RefusedError if its price covers nothing of it.

    A token is at least one byte of the body. So the input is limited by the bytes, and also by the model's context.
    `widening` is what earlier requests of this kind cost beyond their bound. What costs nothing is not widened.
    `adds_input` says that the provider adds input of its own to every request.
    """
    if not metered:
        return NOTHING
    if spec.priced_by and not any(rate.has_price(meter) for meter in spec.priced_by):
        keys = ", ".join(METERS[meter].price_key for meter in spec.priced_by)
        raise unmetered(f"The price of {model.name} names nothing that such a request can be charged by: {keys}.")
    context = max(model.context_tokens or DEFAULT_CONTEXT_TOKENS, spec.widest_context_tokens) * spec.inputs
    most = spec.most_input_tokens if spec.most_input_tokens is not None else body_bytes + TEMPLATE_TOKENS
    input_tokens = (context if spec.open_input or adds_input else min(most, context)) * spec.rounds
    output_tokens = _output_tokens(spec, model)
    tier = spec.service_tier
    fixed_pico = _times(rate.dearest_input(tier, input_tokens), input_tokens) + rate.request_fee_pico
    fixed_pico += _times(rate.dearest(_REQUESTS, tier), 1)
    by_size = [(meter, ceil(scale.most * body_bytes)) for meter, scale in spec.by_size.items()]
    if by_size and model.context_tokens is not None:
        by_size = [(meter, min(most, context) if meter in INPUT_METERS else most) for meter, most in by_size]
    if spec.predicted_tokens:
        fixed_pico += _times(rate.dearest_output(tier, input_tokens), spec.predicted_tokens * spec.choices)
    for meter, most in (*spec.calls.items(), *spec.counted.items(), *by_size):
        fixed_pico += _times(rate.dearest((meter,), tier), most)
    token = rate.dearest_output(tier, input_tokens) if output_tokens else _NOTHING
    if fixed_pico or token:
        fixed_pico += len(METERS)  # each meter is rounded separately, by at most half a pico-USD
    found = Bound(
        fixed_pico=fixed_pico,
        token_num=token.numerator * spec.choices,
        token_den=token.denominator,
        output_tokens=output_tokens,
        adjustable=spec.adjustable and spec.max_output_tokens is None and output_tokens > 0,
        least_tokens=min(least_tokens, output_tokens) or 1,
        widening=widening if fixed_pico else None,
    )
    if spec.call_limit is None:
        return found
    again = partial(bound, body_bytes=body_bytes, model=model, rate=rate, metered=metered, least_tokens=least_tokens)
    again = partial(again, widening=widening, adds_input=adds_input)
    return replace(found, call_limit=spec.call_limit, with_calls=partial(_with_calls, spec, again))


def _with_calls(spec: RequestSpec, again: Callable[[RequestSpec], Bound], call_limit: int) -> Bound:
    return again(replace(spec.with_calls(call_limit), call_limit=None))


def together(bounds: Sequence[Bound], times: int) -> Bound:
    """Combines the bounds of the targets that may serve a request, up to `times` attempts.

    The most expensive one counts.
    """
    if len(bounds) == 1 and times == 1:
        return bounds[0]
    limits = [bound.call_limit for bound in bounds if bound.call_limit is not None]
    if limits:
        plain = [replace(bound, call_limit=None) for bound in bounds]
        with_calls = partial(_together_with_calls, bounds, times)
        return replace(together(plain, times), call_limit=max(limits), with_calls=with_calls)
    if len(bounds) == 1:
        return replace(bounds[0], times=times)
    return Bound(
        output_tokens=max(bound.output_tokens for bound in bounds),
        adjustable=any(bound.adjustable for bound in bounds),
        least_tokens=max(bound.least_tokens for bound in bounds),
        times=times,
        targets=tuple(bounds),
    )


def _together_with_calls(bounds: Sequence[Bound], times: int, call_limit: int) -> Bound:
    return together([bound.limited(call_limit) for bound in bounds], times)


def _times(price: Fraction, quantity: int) -> int:
    """Multiplies and rounds up, without making a Fraction of the product."""
    return -(-price.numerator * quantity // price.denominator)


_NOTHING = Fraction(0)
_REQUESTS = ("requests",)


def _output_tokens(spec: RequestSpec, model: Model) -> int:
    """Returns the requested number of output tokens, but no more than the model can produce."""
    most = model.max_output_tokens
    if most is not None:
        most = max(most, spec.widest_output_tokens)
    if spec.max_output_tokens is None:
        return DEFAULT_MAX_OUTPUT_TOKENS if most is None else most
    return spec.max_output_tokens if most is None else min(spec.max_output_tokens, most)
