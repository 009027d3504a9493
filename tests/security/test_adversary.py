"""No request, however it is made, is charged less than the provider counts for the dearest answer that it allows.

The whole life of a request runs, without sockets. The provider counts by its own rules and prices; what softix charges
comes from its hold, its meters and its price sheet.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from support.adversary import (
    ANSWERS,
    CONTEXT_TOKENS,
    MOST_OUTPUT_TOKENS,
    PRICES_PICO,
    REMOVED,
    SHEET,
    Attack,
    Sent,
    form,
)
from support.attacks import ATTACKS, BASE
from support.playbook import LAB, MODEL, PRICE, Exchange, Stage

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.pricing.rates import PriceSheet, Rate

LLAMA = replace(MODEL, context_tokens=CONTEXT_TOKENS, max_output_tokens=MOST_OUTPUT_TOKENS)
PRICED = replace(PRICE, sheet=PriceSheet.parse({"bands": [{"prices": dict(SHEET)}]}))
KINDS = {"anthropic": ProviderType.ANTHROPIC, "gemini": ProviderType.GEMINI, "openai": ProviderType.OPENAI_COMPATIBLE}
MIXTURES = 60
"""Requests of each dialect, with up to four parts."""


class Case:
    """One request, and the answer to it."""

    def __init__(self, endpoint: str, attacks: Sequence[Attack], chance: random.Random) -> None:
        self.endpoint, self.attacks = endpoint, attacks
        self.asked = BASE[endpoint].ask(chance)
        for attack in attacks:
            self.asked.update(attack.ask(chance))
        self.asked = {name: value for name, value in self.asked.items() if value != REMOVED}
        self.headers = {name: value for attack in attacks for name, value in attack.headers.items()}

    @property
    def body(self) -> bytes:
        is_form = ENDPOINTS[self.endpoint].form_fields is not None
        return form(self.asked) if is_form else json.dumps(self.asked).encode()

    def __repr__(self) -> str:
        names = ", ".join(attack.name for attack in self.attacks) or "nothing else"
        return f"{self.endpoint} with {names}: {json.dumps(self.asked)[:2000]} {self.headers or ''}"

    async def run(self) -> tuple[int, int] | None:
        """What was charged and what the provider counts, in pico-USD. None if softix refused the request."""
        endpoint = ENDPOINTS[self.endpoint]
        lab = replace(LAB, type=KINDS[endpoint.family])
        stage = Stage(providers=(lab,), models=(LLAMA,), prices=(PRICED,))
        stage.headers = [*self.headers.items()]
        exchange = Exchange()
        stage.upstream.answer = exchange
        sending = stage.upstream.send
        counted: list[int] = []

        async def send(call: object, begins: object) -> Exchange:
            sent = self.dearest(call.body, dict(call.headers))  # type: ignore[attr-defined]
            counted.append(sent.cost_pico)
            exchange.script = [json.dumps(ANSWERS[self.endpoint](sent)).encode()]
            return await sending(call, begins)  # type: ignore[arg-type]

        stage.upstream.send = send  # type: ignore[method-assign, assignment]
        asked = endpoint if endpoint.family != "gemini" else endpoint.of("llama", "")  # type: ignore[attr-defined]
        try:
            await stage.serve(self.body, asked)
        except RefusedError:
            assert not counted, f"refused after the provider had it: {self}"
            return None
        stage.settled_once()
        return stage.settlement.charge_pico, sum(counted)

    def dearest(self, body: bytes, headers: dict[str, str]) -> Sent:
        is_form = ENDPOINTS[self.endpoint].form_fields is not None
        sent = Sent(self.body, self.asked if is_form else json.loads(body), headers)
        for attack in (BASE[self.endpoint], *self.attacks):
            attack.costs(sent)
        return sent


def chance(*names: object) -> random.Random:
    """The same for the same names, on every machine."""
    return random.Random(" ".join(map(str, names)))


async def judge(case: Case) -> None:
    found = await case.run()
    if found is not None:
        charged_pico, counted_pico = found
        assert charged_pico >= counted_pico, f"charged {charged_pico} of {counted_pico} pico-USD for {case!r}"


def rows() -> Iterator[object]:
    for attack in ATTACKS:
        yield pytest.param(attack, id=f"{attack.endpoint}: {attack.name}")


@pytest.mark.parametrize("attack", list(rows()))
async def test_request_with_one_costly_part_is_charged_what_the_provider_counts(attack: Attack) -> None:
    for number in range(5):
        await judge(Case(attack.endpoint, [attack], chance(attack.endpoint, attack.name, number)))


@pytest.mark.parametrize("endpoint", list(BASE))
async def test_request_with_a_mixture_of_costly_parts_is_charged_what_the_provider_counts(endpoint: str) -> None:
    parts = [attack for attack in ATTACKS if attack.endpoint == endpoint and not attack.alone]
    for number in range(MIXTURES):
        drawn = chance(endpoint, number)
        chosen: dict[frozenset[str], Attack] = {}
        for attack in drawn.sample(parts, min(len(parts), drawn.randrange(5))):
            members = frozenset(attack.ask(drawn))
            if all(members.isdisjoint(others) for others in chosen):
                chosen[members] = attack
        await judge(Case(endpoint, list(chosen.values()), drawn))


@pytest.mark.parametrize("endpoint", list(BASE))
async def test_request_without_any_trick_is_served_and_charged_exactly(endpoint: str) -> None:
    """The checks above can fail: what is refused proves nothing, and what is charged too much is wrong as well."""
    for number in range(10):
        case = Case(endpoint, [], chance(endpoint, number))
        found = await case.run()
        assert found is not None, f"refused: {case!r}"
        assert found[0] == found[1] > 0, repr(case)


def test_provider_of_the_tests_counts_by_the_prices_that_softix_has() -> None:
    rate = Rate(1, PRICED.sheet)
    for meter, price_pico in PRICES_PICO.items():
        assert rate.price({meter: 1000}, "standard").cost_pico == 1000 * price_pico, meter


def test_each_dialect_with_an_answer_has_a_request() -> None:
    assert set(ANSWERS) == set(BASE)
    assert {attack.endpoint for attack in ATTACKS} <= set(BASE)
