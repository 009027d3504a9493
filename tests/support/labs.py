"""Three providers of one model, of which the second is ten times as dear, and how they fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.playbook import (
    JSON,
    LAB,
    MODEL,
    PRICE,
    Exchange,
    Stage,
)

from softix_proxy.domain.catalog.providers import ProviderKey
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg

DEAR = PriceSheet.parse({"bands": [{"prices": {"input": "10", "output": "20"}}]})
OTHER = replace(LAB, id=2, public_id="prv_two", name="two", base_url="http://two")
THIRD = replace(LAB, id=3, public_id="prv_three", name="three", base_url="http://three")
MODELS = (MODEL, replace(MODEL, id=2, provider_id=2), replace(MODEL, id=3, provider_id=3))
PRICES = (PRICE, replace(PRICE, id=2, model_id=2, sheet=DEAR), replace(PRICE, id=3, model_id=3))
WORLD: dict[str, Any] = {"providers": (LAB, OTHER, THIRD), "models": MODELS, "prices": PRICES}
ROUTE = ModelRoute(1, "rte_a", "llama", (RouteLeg(1), RouteLeg(2, tier=1), RouteLeg(3, tier=2)))
SECOND = ProviderKey("pky_a", "second", b"sealed")


def stage(**world: Any) -> Stage:
    return Stage(**{**WORLD, **world})


def error(status: int, **headers: str) -> Exchange:
    told = [*JSON, *((name.replace("_", "-"), value) for name, value in headers.items())]
    return Exchange(b'{"error":{"message":"no"}}', status=status, headers=told)


def fault(code: Code, started: bool = True) -> ProviderFault:
    return ProviderFault(code, started=started)
