"""The end of a request: its usage, its cost and its charge. It becomes one usage row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from softix_proxy.domain.access.objects import NewObject
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, Meters, total
from softix_proxy.domain.pricing.rates import STANDARD

InterruptedCharge = Literal["nothing", "bound"]
"""The charge for a request if nobody knows what the provider did: nothing, or all of the hold."""


ABOVE_HOLD = "above_hold"
"""The word of a row's note that says that its price is above the hold of the request."""
LIMITED_TO_BALANCE = "limited_to_balance"
"""The word of a row's note that says that its charge is only what the hold and the balance could pay."""
UNPRICED = "unpriced:"
"""The prefix of a word of a row's note that names a meter or a mode of use without a price."""


def unpriced_in(note: str | None) -> list[str]:
    return [word.removeprefix(UNPRICED) for word in (note or "").split() if word.startswith(UNPRICED)]


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A failed attempt that ended before the client had any of its response. It has its own outcome, price and cost."""

    provider_id: int
    model_id: int
    price_id: int | None
    markup: Fraction
    source: UsageSource
    status_code: int
    error: str | None
    latency_ms: int
    meters: Meters = field(default_factory=dict)
    service_tier: str = STANDARD
    bound_pico: int = 0
    """The most that the provider may ask for it, with the mark-up, if nobody knows what the provider did; else 0."""
    cost_pico: int = 0
    charge_pico: int = 0
    """The part of the request's charge that is for this attempt."""
    cost_price_id: int | None = None
    """The same as `Rate.cost_price_id`."""


@record(frozen=True, slots=True)
class Settlement:
    """The record of a finished request. Its texts are softix's own or constrained, and no caller wrote any of them."""

    intent: Intent
    hold_pico: int
    tokens_held: int
    source: UsageSource
    status_code: int
    meters: Meters = field(default_factory=dict)
    service_tier: str = STANDARD
    model_served: str | None = None
    markup: Fraction = Fraction(1)
    fee_pico: int = 0
    """The fee for the request, which is part of the charge."""
    cost_pico: int = 0
    charge_pico: int = 0
    error: str | None = None
    """A code from a fixed list, if the request did not end well."""
    note: str | None = None
    latency_ms: int = 0
    ttfb_ms: int | None = None
    cost_price_id: int | None = None
    """The same as `Rate.cost_price_id`."""
    failed: tuple[FailedAttempt, ...] = ()
    """The failed attempts in the order in which they were made. Their charge is part of `charge_pico`."""
    objects: tuple[NewObject, ...] = ()
    """The things that the provider keeps of the response. They are recorded with the settlement."""
    postpaid: bool = False
    """Whether the charge may exceed the hold by any amount. Otherwise the balance limits it."""
    widened_pico: int = 0
    """The part of the hold that was there only because bounds were widened."""
    members: tuple[str, ...] = ()
    """The members of the request that may make it cost more than its size shows, by softix's own names."""

    @property
    def attempts(self) -> int:
        return len(self.failed) + 1

    input_tokens: int = field(init=False)
    output_tokens: int = field(init=False)

    def __post_init__(self) -> None:
        """Adds the tokens up once, because limits, metrics and the sums of the day all need them."""
        object.__setattr__(self, "input_tokens", total(self.meters, INPUT_METERS))
        object.__setattr__(self, "output_tokens", total(self.meters, OUTPUT_METERS))

    @property
    def tokens_used(self) -> int:
        """The tokens for the tokens-a-minute limit. They replace the estimate of admission."""
        return self.input_tokens + self.output_tokens


def limited(settlement: Settlement, charge_pico: int) -> Settlement:
    """Returns the settlement with a lower charge, because the balance did not reach further."""
    note = LIMITED_TO_BALANCE if settlement.note is None else f"{settlement.note} {LIMITED_TO_BALANCE}"
    return replace(settlement, charge_pico=charge_pico, note=note)


@dataclass(frozen=True, slots=True)
class Orphan:
    """An admitted request whose process died before it was settled. The provider may have worked on it."""

    intent: Intent
    hold_pico: int


@record(frozen=True, slots=True)
class Settled:
    """The result of a settlement.

    The usage row's id is also the time of posting in microseconds, strictly increasing.
    """

    usage_id: int
    balance_pico: int
    charge_pico: int
    """What was charged. It is less than the settlement asked for if the balance did not reach that far."""


def interrupted_charge_pico(most_pico: int, charge: InterruptedCharge) -> int:
    """Returns the charge if nobody knows what the provider did. `most_pico` is the most that may be charged."""
    return most_pico if charge == "bound" else 0


def interrupted(
    intent: Intent,
    hold_pico: int,
    charge: InterruptedCharge,
    status_code: int,
    error: str | None,
    service_tier: str = STANDARD,
) -> Settlement:
    """Returns the settlement of a request of which nobody will know what the provider did.

    The hold stays in the row, because it is the most that the provider may ask for.
    """
    return Settlement(
        intent=intent,
        hold_pico=hold_pico,
        tokens_held=0,
        source=UsageSource.INTERRUPTED,
        status_code=status_code,
        service_tier=service_tier,
        charge_pico=interrupted_charge_pico(hold_pico, charge),
        error=error,
    )
