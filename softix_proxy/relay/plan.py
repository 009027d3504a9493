"""What the first steps find out, for the later ones."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.dialects.base import ProviderEndpoint
from softix_proxy.domain.admission import Bound, Intent
from softix_proxy.domain.keys import Key
from softix_proxy.domain.models import Model
from softix_proxy.domain.pricing import Rate
from softix_proxy.domain.providers import Provider
from softix_proxy.domain.records import record
from softix_proxy.domain.routes import RouteLeg
from softix_proxy.domain.users import User

BYTES_PER_TOKEN = 4
"""For estimates, not for bounds: English text."""


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
    """The provider's side: what is sent and metered. The client's own where the provider speaks it."""
    leg: RouteLeg


@record(frozen=True, slots=True)
class Plan:
    """Made from one revision of the directory, which the intent names."""

    caller: Caller
    targets: Sequence[Target]
    """In the order in which they are tried; at least one."""
    intent: Intent
    """Names the first of them."""
    bounds: Sequence[Bound]
    """What each may cost at most."""
    retries: int
    """How often all of them are tried once more."""
    tries: int
    """At most so many, of whatever sort."""
    prefix: int | None
    """A hash of how the request begins, where that decides where it goes."""
