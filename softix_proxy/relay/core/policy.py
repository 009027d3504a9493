"""The operator's settings for the life of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.metering.settlement import InterruptedCharge

if TYPE_CHECKING:
    from softix_proxy.domain.instance.sections import MoneySection, RelaySection, RoutingSection, UpstreamSection

FailedAttemptsCharge = Literal["provider-billed", "never"]
HiddenOnHangUp = Literal["drain", "bound"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide how requests are served and charged."""

    least_output_tokens: int
    interrupted_charge: InterruptedCharge
    drain_limit_s: float
    """The time for which a stream is read after the client disconnects, if its cost does not show otherwise."""
    drain_limit_bytes: int
    charge_failed_attempts: FailedAttemptsCharge = "never"
    fallback_by_name: bool = True
    """Whether models of the same name replace each other if there is no route."""
    retries: int = 0
    """The retries of requests without a route."""
    most_attempts: int = 6
    session_idle_s: float = 900
    """The time for which a realtime session may be idle. An amount is held for its next response meanwhile."""
    pass_headers: frozenset[str] = frozenset()
    """The request headers that are passed to providers beside those of the dialects and of the provider types."""
    unknown_members: UnknownMembersRule = "pass"
    """The rule for members of unknown cost, unless the provider or the key has its own."""
    hidden_on_hang_up: HiddenOnHangUp = "drain"
    """What is done with a stream whose cost may be out of sight, if the client leaves it: read on, or stop it and
    charge the bound."""
    models_without_reasoning: tuple[str, ...] = ()
    """The patterns of names of models that never reason, beside the known ones."""
    tags: frozenset[str] = frozenset()
    """The names of the tags that a request may ask for."""

    @classmethod
    def of(cls, money: MoneySection, upstream: UpstreamSection, routing: RoutingSection, relay: RelaySection) -> Policy:
        return cls(
            least_output_tokens=money.least_output_tokens,
            interrupted_charge=money.interrupted_charge,
            drain_limit_s=upstream.drain_limit_s,
            drain_limit_bytes=upstream.drain_limit_bytes,
            charge_failed_attempts=money.charge_failed_attempts,
            fallback_by_name=routing.fallback_by_name,
            retries=routing.retries,
            most_attempts=routing.most_attempts,
            pass_headers=frozenset(name.lower() for name in upstream.pass_headers),
            unknown_members=relay.unknown_members,
            hidden_on_hang_up=upstream.hidden_on_hang_up,
            models_without_reasoning=upstream.models_without_reasoning,
            tags=frozenset(relay.tags),
        )
