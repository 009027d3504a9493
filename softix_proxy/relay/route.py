"""Step 2: which model, where it runs, and at what price."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.dialects.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS, provider_side
from softix_proxy.domain.directory import Directory
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.keys import Key
from softix_proxy.domain.models import Model
from softix_proxy.domain.usage import METERS
from softix_proxy.relay.plan import Target


class UnpricedError(RefusedError):
    """The model has no price that applies; counted, so that the operator sees what is missed."""

    def __init__(self, model: Model, meters: Sequence[str] = ()) -> None:
        """`meters` are those without a price, where others have one."""
        what = f" for {', '.join(METERS[name].price_key for name in meters)}" if meters else ""
        RefusedError.__init__(
            self,
            Code.MODEL_NOT_PRICED,
            f"The model {model.name} has no price{what} yet. An administrator can set one: "
            f"softix prices set {model.name}",
        )
        self.model_id = model.id


def route(
    directory: Directory, key: Key, endpoint: Endpoint, name: str, now_us: int, bills: Sequence[str] = ()
) -> tuple[Target, ...]:
    """Raises RefusedError where there is no such model, none for this key, of this dialect, or with a price.

    Each meter in `bills` must have one: what is not priced would be free by accident.

    The message names the model only where the directory has it: what else a caller writes is not quoted.
    """
    candidates = directory.models_named(name)
    if not candidates:
        raise RefusedError(Code.MODEL_NOT_FOUND, "There is no model of this name here. See GET /v1/models.")
    allowed = [model for model in candidates if key.allows_model(*directory.names_of(model))]
    if not allowed:
        raise RefusedError(Code.MODEL_NOT_ALLOWED, f"This API key may not use {candidates[0].name}.")
    profiles = {model.id: directory.providers[model.provider_id].profile for model in allowed}
    for model in sorted(allowed, key=lambda model: endpoint.name not in profiles[model.id].endpoints):
        provider, profile = directory.providers[model.provider_id], profiles[model.id]
        there = provider_side(endpoint, profile.endpoints, profile.preferred)
        if there is not None:
            rate = directory.rate(key.user_id, model.id, now_us)
            if rate is None:
                raise UnpricedError(model)
            for meter in bills if there.metered else ():
                if not rate.has_price(meter):
                    raise UnpricedError(model, [meter for meter in bills if not rate.has_price(meter)])
            return (Target(model, provider, rate, there),)
    spoken = directory.providers[allowed[0].provider_id].profile.endpoints
    paths = (other.path for other in ENDPOINTS.values() if other.name in spoken)
    raise RefusedError(
        Code.INVALID_REQUEST, f"{allowed[0].name} speaks another dialect: send the request to {next(paths)}."
    )
