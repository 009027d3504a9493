"""Applies the rule for members of unknown cost: they pass, are left out, or the request is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule, rule_of
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.ports.telemetry import Telemetry
from softix_proxy.relay.core.plan import Caller, Target
from softix_proxy.relay.core.policy import Policy

_MOST_PLACES = 5


def rule_for(policy: Policy, provider: Provider, caller: Caller) -> UnknownMembersRule:
    return rule_of(policy.unknown_members, provider.unknown_members, caller.key.unknown_members)


def permitted(
    targets: Sequence[Target], endpoint: Endpoint, body: bytes, caller: Caller, policy: Policy
) -> list[Target]:
    """Returns the targets that may get a request with unknown members. Raises RefusedError if there are none.

    A form cannot be rewritten on its way, so a form with such parts is refused where they would be left out.
    """
    is_form = endpoint.form_fields is not None
    refusing: tuple[UnknownMembersRule, ...] = ("refuse", "strip") if is_form else ("refuse",)
    kept = [target for target in targets if rule_for(policy, target.provider, caller) not in refusing]
    if not kept:
        raise refused(endpoint, b"" if is_form else body, caller)
    return kept


class _Parts(Protocol):
    """The parts of the relay that a rule needs."""

    @property
    def policy(self) -> Policy: ...

    @property
    def telemetry(self) -> Telemetry: ...


def judge(parts: _Parts, endpoint: Endpoint, number: int, provider: Provider, caller: Caller) -> None:
    """Counts the unknown members of what cannot be changed on its way. Raises RefusedError unless they may pass."""
    parts.telemetry.unknown_members(endpoint.name, number)
    if rule_for(parts.policy, provider, caller) != "pass":
        raise refused(endpoint, b"", caller)


def refused(endpoint: Endpoint, body: bytes, caller: Caller) -> RefusedError:
    """Returns the refusal. It says where the members stand, since their names are the client's own words."""
    places = endpoint.members.places(body)[:_MOST_PLACES] if body else []
    at = f", counted from 1: {', '.join(map(str, places))}" if places else ""
    return invalid(
        f"The request has members that are not known here, so nobody knows what they cost{at}. Leave them out, or ask "
        f"your administrator to let them pass: softix keys update {caller.key.public_id} --unknown-members pass"
    )


def forwarded(endpoint: Endpoint, body: bytes, target: Target, caller: Caller, policy: Policy) -> bytes:
    """Returns the body as this target gets it: without its unknown members if they are to be left out."""
    if target.endpoint is endpoint and rule_for(policy, target.provider, caller) == "strip":
        return endpoint.members.without_unknown(body)
    return body
