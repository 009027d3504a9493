"""Decides who may use which model at which provider. All other modules call `access` for this."""

from __future__ import annotations

from enum import StrEnum

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus


class AccessDenial(StrEnum):
    """The reason why a key may not use a model at a provider. The most important reason comes first."""

    DISABLED = "disabled"
    NOT_ALLOWED = "not_allowed"
    REGION = "region"


def access(
    user: User, key: Key, provider: Provider, model: Model | None = None, *, route_name: str = ""
) -> AccessDenial | None:
    """Returns None if the key may use the model at the provider.

    Without a model it decides whether the key may use the provider, which also decides about an object stored there.
    `route_name` is the name of the operator's route through which the model is requested, as `Directory.right_to`
    returns it. A key that allows the route allows its models.
    """
    if not is_active(provider, model):
        return AccessDenial.DISABLED
    if model is not None and key.models and not key.allows_model(provider.name, model.name, route_name):
        return AccessDenial.NOT_ALLOWED
    if user.regions and provider.region not in user.regions:
        return AccessDenial.REGION
    if key.regions and provider.region not in key.regions:
        return AccessDenial.REGION
    return None


def is_active(provider: Provider, model: Model | None = None) -> bool:
    """Returns whether the operator lets anybody use the provider, and the model if one is given."""
    return provider.status is ProviderStatus.ACTIVE and (model is None or model.status is ModelStatus.ACTIVE)


def names_of(provider: Provider, model: Model) -> tuple[str, str]:
    """Returns the names by which a client may call the model: its own, and its unique name `provider/model`."""
    return model.name, f"{provider.name}/{model.name}"
