"""The findings of the first steps, for the later ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from softix_proxy.dialects.core.base import ProviderEndpoint
from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.objects import NO_KEY, AccountPlace
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.admission import Intent, IntentPlace
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.routes import RouteLeg

BYTES_PER_TOKEN = 4
"""The bytes of one token in English text. It serves estimates, not bounds."""


@record(frozen=True, slots=True)
class Caller:
    user: User
    key: Key


@record(frozen=True, slots=True)
class Target:
    model: Model
    provider: Provider
    rate: Rate
    endpoint: ProviderEndpoint
    """The endpoint at the provider, which is sent to and metered. It is the client's own if the provider speaks it."""
    leg: RouteLeg

    def places(self) -> Iterator[IntentPlace]:
        """Yields the accounts where it runs: one for each key."""
        for label in [key.label for key in self.provider.keys] or [NO_KEY]:
            yield IntentPlace(AccountPlace(self.provider.id, label), self.model.id, self.rate.price_id)


@record(frozen=True, slots=True)
class Plan:
    """The plan of one request. It is made from one revision of the directory, which the intent names."""

    caller: Caller
    targets: Sequence[Target]
    """The targets in the order in which they are tried. There is at least one."""
    intent: Intent
    """The intent. It names the first target."""
    bounds: Sequence[Bound]
    """The most that each target may cost."""
    retries: int
    """The number of times that all targets are tried again."""
    tries: int
    """The most attempts of any kind."""
    prefix: int | None
    """A hash of the beginning of the request, if the choice of the target depends on it."""
    account: str | None = None
    """The label of the only key that may be used, if the request names things that only its account has."""

    def at(self, place: AccountPlace) -> Plan:
        """Returns the plan for one of the accounts where the request may run."""
        kept = [number for number, target in enumerate(self.targets) if target.provider.id == place.provider_id]
        targets, bounds = [self.targets[number] for number in kept], [self.bounds[number] for number in kept]
        return replace(self, targets=targets, bounds=bounds, intent=self.intent.at(place), account=place.provider_key)
