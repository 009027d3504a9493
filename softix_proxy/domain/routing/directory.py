"""The directory: users, keys, providers, models and prices in memory, current as of one revision of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from fractions import Fraction

from softix_proxy.domain.access.authorization import is_active, names_of
from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.rights import provider_named_in
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.metering.bounds import WidenedBound, Widening, widening_of
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion, in_order
from softix_proxy.domain.pricing.rates import UNKNOWN_COSTS, Rate
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg, RouteStatus

_RATES_KEPT = 50_000
_NEVER_US = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Changes:
    """All rows that changed since a revision. From revision 0 on, these are all rows."""

    revision: int
    users: tuple[User, ...] = ()
    keys: tuple[Key, ...] = ()
    providers: tuple[Provider, ...] = ()
    models: tuple[Model, ...] = ()
    prices: tuple[PriceVersion, ...] = ()
    markups: tuple[MarkupVersion, ...] = ()
    routes: tuple[ModelRoute, ...] = ()
    bounds: tuple[WidenedBound, ...] = ()


@dataclass(slots=True)
class Directory:
    """The directory at one revision.

    Its rows are frozen. Only `apply` changes which rows there are, in one step of the event loop.
    """

    revision: int = 0
    users: dict[int, User] = field(default_factory=dict)
    keys: dict[bytes, Key] = field(default_factory=dict)
    providers: dict[int, Provider] = field(default_factory=dict)
    models: dict[int, Model] = field(default_factory=dict)
    _prices: dict[int, dict[int, PriceVersion]] = field(default_factory=dict)
    """The price versions as they were made: model → id → version."""
    _markups: dict[int, MarkupVersion] = field(default_factory=dict)
    _ordered_prices: dict[int, list[PriceVersion]] = field(default_factory=dict)
    _ordered_markups: list[MarkupVersion] = field(default_factory=list)
    _newest_price_us: int = 0
    _routes: dict[int, ModelRoute] = field(default_factory=dict)
    _by_name: dict[str, tuple[Model, ...]] = field(default_factory=dict)
    _named_routes: dict[str, ModelRoute] = field(default_factory=dict)
    _provider_names: frozenset[str] = frozenset()
    """The names of the providers that were not removed. `NAME/…` means a model there, and nothing else."""
    _rates: dict[tuple[int, int], tuple[Rate | None, int]] = field(default_factory=dict)
    """The rates by user and model, each with the instant from which another one applies."""
    _widenings: dict[int, dict[str, Widening]] = field(default_factory=dict)
    """The bounds that turned out to be too low: model → member → what requests with it are widened by."""
    _shared: dict[tuple[int, Fraction, int, int | None], Rate] = field(default_factory=dict)
    """The rates by price version, mark-up, fee, and the version of the cost if it is another."""

    def apply(self, changes: Changes) -> None:
        if changes.revision <= self.revision:
            return
        self.users.update((user.id, user) for user in changes.users)
        self.keys.update((key.digest, key) for key in changes.keys)
        self.providers.update((provider.id, provider) for provider in changes.providers)
        self.models.update((model.id, model) for model in changes.models)
        for price in changes.prices:
            self._prices.setdefault(price.model_id, {})[price.id] = price
        self._markups.update((markup.id, markup) for markup in changes.markups)
        self._order_prices(changes.prices)
        if changes.markups:
            self._ordered_markups = in_order(self._markups.values())
        if changes.prices or changes.markups:
            self._rates.clear()
        self._routes.update((route.id, route) for route in changes.routes)
        if changes.providers:
            present = (each for each in self.providers.values() if each.status is not ProviderStatus.REMOVED)
            self._provider_names = frozenset(each.name for each in present)
        if changes.models or changes.providers:
            self._by_name = self._index()
        if changes.models or changes.providers or changes.routes:
            self._named_routes = self._index_routes()
        for bound in changes.bounds:
            self._widen(bound)
        self.revision = changes.revision

    def _widen(self, bound: WidenedBound) -> None:
        if bound.is_wider:
            self._widenings.setdefault(bound.model_id, {})[bound.member] = bound.widening
        elif bound.model_id in self._widenings:
            self._widenings[bound.model_id].pop(bound.member, None)

    def widening(self, model_id: int, members: Sequence[str]) -> Widening | None:
        """Returns what requests with these members are held for beyond their bound, or None if for nothing."""
        found = self._widenings.get(model_id)
        return widening_of(found, members) if found else None

    def _order_prices(self, changed: Iterable[PriceVersion]) -> None:
        """Orders the new versions, or all of them if the clock went back between two that were made, which is rare."""
        went_back = False
        for price in sorted(changed, key=lambda price: price.id):
            went_back = went_back or price.created_at_us < self._newest_price_us
            self._newest_price_us = max(self._newest_price_us, price.created_at_us)
            self._ordered_prices.setdefault(price.model_id, []).append(price)
        if went_back:
            self._ordered_prices = {}
            for price in in_order(price for versions in self._prices.values() for price in versions.values()):
                self._ordered_prices.setdefault(price.model_id, []).append(price)

    def _index(self) -> dict[str, tuple[Model, ...]]:
        """Maps bare names and `provider/name` to models."""
        bare: dict[str, tuple[Model, ...]] = {}
        exact: dict[str, tuple[Model, ...]] = {}
        for model in sorted(self.models.values(), key=lambda model: model.id):
            provider = self.providers[model.provider_id]
            if is_active(provider, model):
                if self._is_free(model.name, provider):
                    bare[model.name] = (*bare.get(model.name, ()), model)
                exact[names_of(provider, model)[1]] = (model,)
        return bare | exact

    def _is_free(self, name: str, provider: Provider) -> bool:
        """Returns whether the bare name of a model of this provider is one by which clients may call it.

        `openai/gpt-4o` names the provider `openai`, if there is one. So it cannot mean a model of that name elsewhere.
        """
        return provider_named_in(name, self._provider_names) in ("", provider.name)

    def _index_routes(self) -> dict[str, ModelRoute]:
        """Maps names to routes: `provider/name`, a route, or the models of that name.

        The first of these has priority.
        """
        bare: dict[str, list[RouteLeg]] = {}
        exact: dict[str, ModelRoute] = {}
        for model in sorted(self.models.values(), key=lambda model: model.id):
            provider = self.providers[model.provider_id]
            if provider.status is not ProviderStatus.REMOVED:
                if self._is_free(model.name, provider):
                    tier = bare.setdefault(model.name, [])
                    tier.append(RouteLeg(model.id, tier=len(tier)))
                name = names_of(provider, model)[1]
                exact[name] = ModelRoute(0, "", name, (RouteLeg(model.id),))
        made = {name: ModelRoute(0, "", name, tuple(legs)) for name, legs in bare.items()}
        active = [route for route in self._routes.values() if route.status is RouteStatus.ACTIVE]
        return made | {route.name: _with_timeouts(route) for route in active} | exact

    def route(self, name: str) -> ModelRoute | None:
        """Returns the route of this name. Its time-outs are already applied to its legs."""
        return self._named_routes.get(name)

    def provider_offering(self, name: str) -> Provider | None:
        """Returns the provider that a name begins with, if the operator offers there whatever has such a name."""
        named = provider_named_in(name, self._provider_names)
        for provider in self.providers.values() if named else ():
            if provider.name == named and provider.status is not ProviderStatus.REMOVED:
                own = name.partition("/")[2]
                return provider if any(fnmatchcase(own, pattern) for pattern in provider.model_patterns) else None
        return None

    def active_routes(self) -> Iterable[ModelRoute]:
        """Returns the routes that an operator made."""
        return (route for route in self._named_routes.values() if route.id)

    def models_named(self, name: str) -> tuple[Model, ...]:
        """Returns the active models with the name `name` or `provider/name`, the oldest first."""
        return self._by_name.get(name, ())

    def right_to(self, route: ModelRoute) -> str:
        """Returns the name by which a key may be given the route, or an empty text if there is none.

        Models of the same name are no route in this sense. A route whose name begins with that of a provider gives no
        right either, because the right to a provider's models must not lead elsewhere.
        """
        return route.name if route.id and not provider_named_in(route.name, self._provider_names) else ""

    def active_names(self) -> Iterable[str]:
        """Returns one name of each active model by which clients can call it: the shorter one, if it is free."""
        named = ((name, models[0]) for name, models in self._by_name.items())
        return (name for name, model in named if model.name == name or not self._is_named(model))

    def called(self, model: Model) -> str:
        """Returns the shortest name by which clients can call the model."""
        return model.name if self._is_named(model) else self.names_of(model)[1]

    def _is_named(self, model: Model) -> bool:
        return self._is_free(model.name, self.providers[model.provider_id])

    def names_of(self, model: Model) -> tuple[str, str]:
        return names_of(self.providers[model.provider_id], model)

    def rate(self, user_id: int, model_id: int, now_us: int) -> Rate | None:
        """Returns the price that this user pays for this model now, or None if there is no price."""
        rate, until_us = self._rates.get((user_id, model_id), (None, 0))
        if now_us < until_us:
            return rate
        if len(self._rates) >= _RATES_KEPT:
            self._rates.clear()
        rate = self._work_out(user_id, model_id, now_us)
        self._rates[(user_id, model_id)] = rate, self._next_start(model_id, now_us)
        return rate

    def rate_then(self, user_id: int, model_id: int, at_us: int) -> Rate | None:
        """Returns the price that this user paid at an earlier moment."""
        since = self._work_out(user_id, model_id, at_us, by_clock=True)
        return since or self._work_out(user_id, model_id, at_us)

    def _work_out(self, user_id: int, model_id: int, now_us: int, *, by_clock: bool = False) -> Rate | None:
        """Calculates the rate of a user at a moment.

        With `by_clock`, a version with a later start has not started, whatever the clock said when it was made.
        """
        price = self._price(user_id, model_id, now_us, by_clock=by_clock)
        if price is None:
            return None
        markup = None if price.source == "customer" else self._markup(user_id, model_id, now_us)
        factor, fee_pico = (markup.factor, markup.fee_pico) if markup else (Fraction(1), 0)
        if price.sheet.free:
            fee_pico = 0
        costs = self._costs(model_id, now_us, by_clock=by_clock) if price.source == "customer" else None
        return self._share(price, factor, fee_pico, costs)

    def _costs(self, model_id: int, now_us: int, *, by_clock: bool) -> Rate:
        """Returns the provider's price: the operator's, else the catalogue's.

        A customer's own price does not state it.
        """
        price = self._price(None, model_id, now_us, by_clock=by_clock)
        return UNKNOWN_COSTS if price is None else self._share(price, Fraction(1), 0, None)

    def _share(self, price: PriceVersion, factor: Fraction, fee_pico: int, costs: Rate | None) -> Rate:
        """Returns one rate for all who pay the same, so that its calculations are done once."""
        place = price.id, factor, fee_pico, None if costs is None else costs.price_id
        return self._shared.setdefault(place, Rate(price.id, price.sheet, factor, fee_pico, costs))

    def _next_start(self, model_id: int, now_us: int) -> int:
        starts = [price.starts_at_us for price in self._ordered_prices.get(model_id, ())]
        starts += [markup.starts_at_us for markup in self._ordered_markups]
        return min((start_us for start_us in starts if start_us > now_us), default=_NEVER_US)

    def _price(self, user_id: int | None, model_id: int, now_us: int, *, by_clock: bool) -> PriceVersion | None:
        order = {"customer": 2, "operator": 1, "catalogue": 0}
        started = [
            price
            for price in self._ordered_prices.get(model_id, ())
            if price.user_id in (None, user_id)
            and (price.starts_at_us <= now_us if by_clock else price.has_started(now_us))
        ]
        return max(started, key=lambda price: (order[price.source], price.starts_at_us, price.id), default=None)

    def _markup(self, user_id: int, model_id: int, now_us: int) -> MarkupVersion | None:
        subjects = {"user": user_id, "model": model_id, "default": None}
        order = {"user": 2, "model": 1, "default": 0}
        started = [
            markup
            for markup in self._ordered_markups
            if markup.has_started(now_us) and markup.subject_id == subjects[markup.scope]
        ]
        return max(started, key=lambda m: (order[m.scope], m.starts_at_us, m.id), default=None)


def _with_timeouts(route: ModelRoute) -> ModelRoute:
    return replace(route, legs=tuple(replace(leg, timeouts=leg.timeouts.within(route.timeouts)) for leg in route.legs))
