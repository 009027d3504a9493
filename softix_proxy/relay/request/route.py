"""Finds the models that may serve the request, where they run, and at what price."""

from __future__ import annotations

from dataclasses import replace

from softix_proxy.dialects.core.base import Endpoint, ProviderEndpoint, RequestSpec
from softix_proxy.dialects.core.tokens import TIERS
from softix_proxy.dialects.registry import ENDPOINTS, provider_side
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.search_models import searches_by
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.domain.pricing.rates import NEVER_DEARER, STANDARD, UNKNOWN_TIER, Rate
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.domain.routing.routes import ModelRoute
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.plan import Caller, Target

_NO_SUCH_TIER = (
    "This service tier is not known here, so it has no price. These may have one: "
    f"{', '.join(sorted(TIERS))}. Name one of them, or none."
)

_NO_PRICE_KNOWN = (
    "This model of {provider} has no price here. An administrator can add it with one, for example: "
    "softix models add MODEL --provider {provider} --input 1.00 --output 4.00"
)


class UnpricedError(RefusedError):
    """Says that the model has no price that applies, or that its price lacks something that the request is billed by.

    These errors are counted, so that the operator sees what is missing.
    """

    def __init__(self, directory: Directory, model: Model, user: User, spec: RequestSpec, now_us: int) -> None:
        """Writes the message.

        No price applies to `spec` now, or the one that does lacks something that `spec` is billed by.
        """
        rate = directory.rate(user.id, model.id, now_us)
        missing = [] if rate is None else unpriced(spec, rate, model)
        what = f" for {', '.join(METERS[name].price_key for name in missing)}" if missing else ""
        tier, meters = STANDARD, missing or spec.bills or spec.priced_by[:1]
        if rate is not None and not has_mode(spec, rate):
            tier = spec.service_tier
            what += f"{' and' if what else ' for'} the service tier {tier}"
            meters = (*(name for name in spec.bills if METERS[name].side != "call"), *missing) or spec.priced_by[:1]
        # the user's own price lacks the meter
        own = user.public_id if rate is not None and rate.costs is not None else None
        command = remedy(directory.names_of(model)[1], meters, own, tier)
        text = f"The model {model.name} has no price{what} yet. An administrator can set one, for example: {command}"
        RefusedError.__init__(self, Code.MODEL_NOT_PRICED, _NO_SUCH_TIER if tier == UNKNOWN_TIER else text)
        self.model_id = model.id


def unpriced(spec: RequestSpec, rate: Rate, model: Model) -> list[str]:
    """Returns the meters that the request uses and that have no price.

    A model that searches by itself uses the meter of its searches for every request.
    """
    missing = [meter for meter in spec.bills if not rate.has_price(meter)]
    if spec.stated:
        missing += [meter for meter in spec.stated if not rate.states(meter)]
    fee = searches_by(model.upstream_name)
    if fee is not None and fee not in missing and spec.max_output_tokens != 0 and not rate.has_price(fee):
        missing.append(fee)
    return missing


def has_mode(spec: RequestSpec, rate: Rate) -> bool:
    """Returns whether the price covers the service tier that the request asks for.

    A tier that never costs more than the standard one is charged as that, and so is one that changes no price.
    """
    tier = spec.service_tier
    if tier == STANDARD or tier in NEVER_DEARER or rate.has_tier(tier):
        return True
    return bool(spec.tier_of) and not any(rate.has_price(meter) for meter in spec.tier_of)


def priced(
    directory: Directory, user: User, model: Model, endpoint: ProviderEndpoint, spec: RequestSpec, now_us: int
) -> Rate | None:
    """Returns the price that applies if it covers each meter and the mode that the request uses.

    A missing meter would be free, and a missing mode may cost more.
    """
    rate = directory.rate(user.id, model.id, now_us)
    if rate is None or not endpoint.metered:
        return rate
    return None if unpriced(spec, rate, model) or not has_mode(spec, rate) else rate


def route(
    directory: Directory, caller: Caller, endpoint: Endpoint, spec: RequestSpec, now_us: int
) -> tuple[ModelRoute, list[Target]]:
    """Returns every target that may serve the request, in the order of the route. There is at least one.

    Each meter that a target bills must have a price. Otherwise its use would be free by accident. Raises RefusedError
    if there is no such model, or none for this key, in its regions, of this dialect, or with a price. The message names
    the model only if the key may use it. Nothing else that a caller writes is quoted.
    """
    found = directory.route(spec.model)
    if found is None:
        raise _unknown(directory, caller, spec.model)
    targets: list[Target] = []
    refused: UnpricedError | None = None
    other_dialect: Model | None = None
    user, key, route_name = caller.user, caller.key, directory.right_to(found)
    for leg in found.legs:
        model = directory.models[leg.model_id]
        provider = directory.providers[model.provider_id]
        if access(user, key, provider, model, route_name=route_name) is not None:
            continue
        there = provider_side(endpoint, provider.profile.endpoints, provider.profile.preferred, model.upstream_name)
        if there is None:
            other_dialect = other_dialect or model
            continue
        asked = spec if there is endpoint else spec.translated(there.name)
        rate = priced(directory, user, model, there, asked, now_us)
        if rate is not None:
            targets.append(Target(model, provider, rate, there, leg))
        else:
            refused = refused or UnpricedError(directory, model, user, asked, now_us)
    if not targets:
        if other_dialect is not None:
            raise refused or _speaks_another(directory, other_dialect)
        raise refused or refusal.no_model()
    return found, targets if found.id else _native_first(endpoint, targets)


def _unknown(directory: Directory, caller: Caller, name: str) -> RefusedError:
    """Returns the error for a name that no model has.

    If the operator offers all models of a pattern at this provider, what is missing is a price. Only who may use such a
    model is told so, and the message does not repeat the name.
    """
    provider = directory.provider_offering(name)
    if provider is not None:
        model = Model(0, name.partition("/")[2], provider.id, "", None, None, ModelStatus.ACTIVE, 0)
        if access(caller.user, caller.key, provider, model) is None:
            return RefusedError(Code.MODEL_NOT_PRICED, _NO_PRICE_KNOWN.format(provider=provider.name))
    return refusal.no_model()


def _native_first(endpoint: Endpoint, targets: list[Target]) -> list[Target]:
    """Puts targets that need no translation first, because the operator has set no order.

    Among equals, the older is first.
    """
    if len(targets) == 1 or all(target.endpoint is endpoint for target in targets):
        return targets
    ordered = sorted(targets, key=lambda target: target.endpoint is not endpoint)
    return [replace(target, leg=replace(target.leg, tier=tier)) for tier, target in enumerate(ordered)]


_ANY_PATH = ENDPOINTS["chat_completions"].path
"""The path that is named if no client speaks the provider's own dialect."""


def _speaks_another(directory: Directory, model: Model) -> RefusedError:
    spoken = directory.providers[model.provider_id].profile.endpoints
    paths = (other.path for other in ENDPOINTS.values() if other.name in spoken)
    return RefusedError(
        Code.INVALID_REQUEST, f"{model.name} speaks another dialect: send the request to {next(paths, _ANY_PATH)}."
    )


_PREFIX_BYTES = 4096
"""The bytes that are compared. They are little more than 1,024 tokens, and no provider caches a shorter prompt."""


def prefix_of(key_id: int, body: bytes) -> int | None:
    """Returns a hash that identifies a conversation, or None if the body is too short.

    It is Python's hash, which no other process can reproduce. It is kept in memory only.
    """
    return hash((key_id, body[:_PREFIX_BYTES])) if len(body) >= _PREFIX_BYTES else None
