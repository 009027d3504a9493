"""Reports the decisions of admission to the caller: errors with figures, and the headers of the key's limits."""

from __future__ import annotations

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.objects import KINDS
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.admission import Allowance, Denied
from softix_proxy.domain.ports.upstream import ProviderFault

_PACE = {
    Code.RATE_LIMITED: "Too many requests a minute for this API key.",
    Code.TOKENS_LIMITED: "Too many tokens a minute for this API key.",
    Code.CONCURRENCY_LIMITED: "Too many requests of this API key at once.",
}
_SHORT = {
    Code.INSUFFICIENT_BALANCE: "The balance is too low",
    Code.CAP_REACHED: "The spending cap of this API key is reached",
    Code.BUDGET_REACHED: "The budget of the project or member of this API key is used up",
}
_WHOM_TO_ASK = {
    Code.INSUFFICIENT_BALANCE: " Ask your administrator to add to the balance.",
    Code.CAP_REACHED: " Ask your administrator to raise the cap.",
    Code.BUDGET_REACHED: " Ask your administrator to raise the budget, or wait for its next period.",
}
"""The advice if even the shortest response cannot be paid for, because the client itself can do nothing about it."""
_FAULTS = {
    Code.PROVIDER_REFUSED: "The provider's key cannot be opened. The operator has to look into it: softix doctor",
    Code.PROVIDER_UNREACHABLE: "The provider could not be reached.",
    Code.PROVIDER_TIMEOUT: "The provider did not answer in time.",
    Code.PROVIDER_BROKE_OFF: "The provider broke off its answer.",
    Code.PROVIDER_BUSY: "All connections to the provider are in use.",
    Code.OUT_OF_FILES: "softix has reached its limit of open files, and cannot connect to the provider. Try again.",
}

NO_MODEL = "There is no model of this name for this API key. See GET /v1/models, or ask your administrator."
OURS = frozenset((Code.PROVIDER_BUSY, Code.OUT_OF_FILES))
"""The codes for which no provider is to blame: softix has no connection for it. A moment later it may have one."""


def denied(decision: Denied, limits: KeyLimits, what: str = "this request") -> RefusedError:
    """Returns the error for a denial. `what` names the thing for which the money does not suffice."""
    headers = tuple(rate_headers(limits, decision.allowance))
    if decision.code in _OBJECTS:
        return RefusedError(decision.code, unresolved(decision.code, decision.about), headers=headers)
    if decision.code in _PACE:
        wait_s = (decision.retry_after_us or SECOND_US) / SECOND_US
        limit = f" Its limit is {decision.limit}." if decision.limit else ""
        return RefusedError(decision.code, _PACE[decision.code] + limit, wait_s, headers=headers)
    needed, available = format_usd(decision.needed_pico), format_usd(decision.available_pico)
    short = f"The {decision.limit} is reached" if decision.limit else _SHORT[decision.code]
    message = f"{short}: {what} needs up to ${needed}, and ${available} is available."
    if decision.affordable_tokens > 0:
        message += f" It would pass with at most {decision.affordable_tokens} output tokens."
    else:
        message += _WHOM_TO_ASK[decision.code]
    details: dict[str, str | int] = {"needed": needed, "available": available, "currency": "USD"}
    details["max_tokens"] = decision.affordable_tokens
    until_s = None if decision.retry_after_us is None else decision.retry_after_us / SECOND_US
    return RefusedError(decision.code, message, until_s, details, headers)


_OBJECTS = frozenset((Code.OBJECT_NOT_FOUND, Code.OBJECT_ELSEWHERE))


def unresolved(code: Code, kind: str) -> str:
    """Returns what a client is told about a name that leads nowhere. It depends only on the kind of the name."""
    found = KINDS[kind]
    if code is Code.OBJECT_ELSEWHERE:
        return f"A {found.noun} of this request is in an account where the request cannot run. Use the model there."
    if found.made_here:
        return f"A {found.noun} of this request does not exist here, or it is not yours."
    return f"A {found.noun} of this request is none that an operator shares with you: softix objects share --help"


def no_model(message: str = NO_MODEL) -> RefusedError:
    """Returns the error for a model that does not exist, is not in use, or is not for this key or its regions.

    All of them get the same answer. Otherwise anybody with a key could find out which models others have.
    """
    return RefusedError(Code.MODEL_NOT_FOUND, message)


def failed(fault: ProviderFault) -> RefusedError:
    return RefusedError(fault.code, _FAULTS[fault.code], 1 if fault.code in OURS else None)


def final(error: RefusedError) -> RefusedError:
    """Tells the client not to try again if another try could repeat the work.

    Nearly every client obeys this header, whatever the status is.
    """
    error.headers += (("x-should-retry", "false"),)
    error.retry_after_s = None
    return error


def busy() -> RefusedError:
    return RefusedError(
        Code.PROVIDER_BUSY, "Every target of this model works on as many requests as it may.", retry_after_s=1
    )


def rate_headers(limits: KeyLimits, allowance: Allowance) -> Headers:
    """Returns `x-ratelimit-*` headers as OpenAI has them. The list is empty for a key without rate limits."""
    headers: list[tuple[str, str]] = []
    for what, limit, left, reset_us in (
        ("requests", limits.rpm, allowance.requests_remaining, allowance.requests_reset_us),
        ("tokens", limits.tpm, allowance.tokens_remaining, allowance.tokens_reset_us),
    ):
        if limit is not None and left is not None:
            headers += [
                (f"x-ratelimit-limit-{what}", str(limit)),
                (f"x-ratelimit-remaining-{what}", str(left)),
                (f"x-ratelimit-reset-{what}", f"{reset_us / SECOND_US:.3f}s"),
            ]
    return headers
