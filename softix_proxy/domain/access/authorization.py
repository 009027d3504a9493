"""Decides who may use which model at which provider. Whoever has to know it asks `access`."""

from __future__ import annotations

from enum import StrEnum

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus


class AccessDenial(StrEnum):
    """Says why a key may not use a model at a provider. The weightiest reason stands first."""

    DISABLED = "disabled"
    NOT_ALLOWED = "not_allowed"
    REGION = "region"


def access(
    user: User, key: Key, provider: Provider, model: Model | None = None, *, route_name: str = ""
) -> AccessDenial | None:
    """Returns None where the key may use the model at the provider.

    Without a model it tells whether the key may use the provider, which is what decides about an object stored there.
    `route_name` is the route of an operator through which the model is asked for: a key that allows the route allows
    its models.
    """
    if not is_active(provider, model):
        return AccessDenial.DISABLED
    if model is not None and key.models and not key.allows_model(*_names(provider, model, route_name)):
        return AccessDenial.NOT_ALLOWED
    if user.regions and provider.region not in user.regions:
        return AccessDenial.REGION
    if key.regions and provider.region not in key.regions:
        return AccessDenial.REGION
    return None


def is_active(provider: Provider, model: Model | None = None) -> bool:
    """Tells whether the operator lets anybody use the provider, and the model where one is given."""
    return provider.status is ProviderStatus.ACTIVE and (model is None or model.status is ModelStatus.ACTIVE)


def names_of(provider: Provider, model: Model) -> tuple[str, str]:
    """Returns what a client may call the model: its own name, and the one that no other provider's model has."""
    return model.name, f"{provider.name}/{model.name}"


def _names(provider: Provider, model: Model, route_name: str) -> tuple[str, ...]:
    own = names_of(provider, model)
    return (route_name, *own) if route_name else own
