"""Who may do nothing at all is refused before work is spent on a body, and nobody else is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from support.playbook import KEY, LAB, MODEL, PRICE, USER, WORLD

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.access.keys import KeyLimits, Spend
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.pricing.prices import MarkupVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg, RouteStatus
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.eligibility import require_eligible

FREE = replace(PRICE, sheet=PriceSheet(()))
ZERO = replace(PRICE, sheet=PriceSheet.parse({"bands": [{"prices": {"input": "0", "output": "0"}}]}))
ANTHROPIC = replace(LAB, type=ProviderType.ANTHROPIC)
CHAT = "chat_completions"


class Books:
    """What a user has, and what a key has spent. It counts how often it is asked."""

    def __init__(self, posted_pico: int = 5, held_pico: int = 0, credit_pico: int = 0, spent_pico: int = 0) -> None:
        self.wallet = Wallet(1, posted_pico, held_pico, credit_pico)
        self.spent = Spend(total_pico=spent_pico)
        self.balance = SimpleNamespace(get=self._get)
        self.keys = SimpleNamespace(spend=self._spend)
        self.reads = 0

    async def _get(self, user_id: int) -> Wallet:
        self.reads += 1
        return self.wallet

    async def _spend(self, key_id: int) -> Spend:
        self.reads += 1
        return self.spent


async def standing(
    books: Any = None, user: Any = USER, key: Any = KEY, names: tuple[str, ...] = (CHAT,), **world: Any
) -> Code | None:
    directory = Directory()
    directory.apply(Changes(1, **{**WORLD, "users": (user,), "keys": (key,), **world}))
    endpoints = [ENDPOINTS[name] for name in names]
    try:
        await require_eligible(directory, books or Books(), Caller(user, key), endpoints, 2)
    except RefusedError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("books", "code"),
    [
        (Books(1), None),
        (Books(0), Code.INSUFFICIENT_BALANCE),
        (Books(-5), Code.INSUFFICIENT_BALANCE),
        (Books(5, held_pico=5), Code.INSUFFICIENT_BALANCE),
        (Books(-5, credit_pico=5), Code.INSUFFICIENT_BALANCE),
        (Books(-5, credit_pico=6), None),
    ],
)
async def test_caller_has_standing_if_anything_of_the_balance_or_credit_is_left(books: Any, code: Code | None) -> None:
    assert await standing(books) is code


async def test_caller_who_pays_afterwards_has_standing_and_is_asked_for_no_balance() -> None:
    books = Books(-5)
    assert await standing(books, user=replace(USER, postpaid=True)) is None and books.reads == 0


@pytest.mark.parametrize(("spent", "code"), [(9, None), (10, Code.CAP_REACHED), (11, Code.CAP_REACHED)])
async def test_caller_with_a_cap_has_standing_below_it(spent: int, code: Code | None) -> None:
    key = replace(KEY, limits=KeyLimits(cap_pico=10))
    assert await standing(Books(spent_pico=spent), key=key) is code
    assert await standing(Books(spent_pico=spent), key=key, user=replace(USER, postpaid=True)) is code


@pytest.mark.parametrize(
    "world",
    [
        {"prices": (FREE,)},
        {"prices": (ZERO,)},
        {"markups": (MarkupVersion(1, "default", None, Fraction(0), 1, 1),)},
        {"names": ("count_tokens",), "providers": (ANTHROPIC,)},
        {"names": ("messages", "count_tokens"), "providers": (ANTHROPIC,)},
    ],
)
async def test_caller_without_money_has_standing_if_something_costs_nothing(world: dict[str, Any]) -> None:
    assert await standing(Books(0), **world) is None


@pytest.mark.parametrize(
    "world",
    [
        {"key": replace(KEY, models=("gpt-*",))},
        {"key": replace(KEY, regions=("eu",))},
        {"models": (replace(MODEL, status=ModelStatus.DISABLED),)},
        {"providers": (replace(LAB, status=ProviderStatus.DISABLED),)},
        {"prices": ()},
        {"models": (), "prices": ()},
        {"names": ("embed_content", "batch_embed_contents")},
    ],
)
async def test_caller_who_may_use_no_model_at_the_endpoint_has_no_standing(world: dict[str, Any]) -> None:
    books = Books()
    assert await standing(books, **world) is Code.MODEL_NOT_FOUND and books.reads == 0


async def test_caller_who_may_use_only_a_route_has_standing() -> None:
    key = replace(KEY, models=("fast",))
    route = ModelRoute(1, "rte_a", "fast", (RouteLeg(1),), status=RouteStatus.ACTIVE)
    assert await standing(key=key) is Code.MODEL_NOT_FOUND
    assert await standing(key=key, routes=(route,)) is None
