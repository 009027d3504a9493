"""Decides whether a client that leaves a stream can have hidden what the response costs, and what is done then.

The rule is one pure function. It goes by the request, the type of the provider and the name of the model.
"""

from __future__ import annotations

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.request.hiding import REASONING
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.catalog.reasoning import never_reasons
from softix_proxy.relay.core.policy import Policy


def can_hide(spec: RequestSpec, provider: Provider, model: Model, policy: Policy) -> bool:
    """Returns whether a part of the cost of a response can be out of sight while it is streamed.

    It can be if the provider works on after a disconnect, if the request may have work done that does not pass, or if
    the model may reason and the provider does not show all of it. What is not known can hide.
    """
    if provider.on_hang_up == "drain":
        return True
    shown = provider.profile.shows
    if not spec.hides <= shown:
        return True
    return REASONING not in shown and not never_reasons(model.upstream_name, policy.models_without_reasoning)


def reads_on(spec: RequestSpec, provider: Provider, model: Model, policy: Policy) -> bool:
    """Returns whether softix reads a stream to its end if the client leaves it. Otherwise it stops the provider."""
    if provider.on_hang_up == "drain":
        return True
    return policy.hidden_on_hang_up == "drain" and can_hide(spec, provider, model, policy)
