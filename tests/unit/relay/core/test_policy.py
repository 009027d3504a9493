"""Where a request may be worked on, whatever fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.labs import OTHER, ROUTE, THIRD, error, stage
from support.playbook import (
    ANSWER,
    KEY,
    LAB,
    PLAIN,
    USER,
    Exchange,
)

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.routing.routes import RouteLeg

# Regions


async def test_request_with_region_limit_is_sent_to_providers_in_that_region_only() -> None:
    providers = (replace(LAB, region="us"), replace(OTHER, region="eu"), THIRD)
    at = stage(providers=providers, keys=(replace(KEY, regions=("eu",)),))
    at.upstream.answers = {"two": [error(500)]}
    await at.serve(PLAIN)
    assert at.upstream.asked == ["two"] and at.client.status == 500
    at = stage(providers=providers, users=(replace(USER, regions=("ch",)),))
    assert (await at.refused()).code is Code.MODEL_NOT_FOUND
    assert at.upstream.calls == [] and at.journal.intents == []


REGIONS = ("eu", "us", "ch")
bonds = st.lists(st.sampled_from(REGIONS), max_size=2, unique=True).map(tuple)


@given(
    st.lists(st.none() | st.sampled_from(REGIONS), min_size=3, max_size=3),
    bonds,
    bonds,
    st.lists(
        st.builds(RouteLeg, st.integers(1, 3), weight=st.integers(1, 5), tier=st.integers(0, 2)),
        min_size=1,
        max_size=3,
        unique_by=lambda leg: leg.model_id,
    ),
    st.lists(st.sampled_from([200, 400, 401, 429, 500, 504]), min_size=12, max_size=12),
    st.integers(0, 2**32),
)
def test_request_with_region_limits_never_leaves_them_on_any_route_or_failure(
    regions: list[str | None], user_bond: Any, key_bond: Any, legs: list[RouteLeg], statuses: list[int], seed: int
) -> None:
    """Whatever fails, however often it is tried, and by whatever route."""
    labs = [replace(lab, region=region) for lab, region in zip((LAB, OTHER, THIRD), regions, strict=True)]
    at = stage(
        providers=tuple(labs),
        users=(replace(USER, regions=user_bond),),
        keys=(replace(KEY, regions=key_bond),),
        routes=(replace(ROUTE, legs=tuple(legs), retries=2),),
    )
    at.target_pool.draw = Random(seed).randrange
    at.policy = replace(at.policy, most_attempts=12)
    bodies = {200: ANSWER}
    at.upstream.answers = {
        lab.name: [Exchange(bodies.get(status, b"{}"), status=status) for status in statuses] for lab in labs
    }
    try:
        asyncio.run(at.serve(PLAIN))
    except RefusedError as refused:
        assert refused.code in (Code.MODEL_NOT_FOUND, Code.PROVIDER_REFUSED)
    asked = {call.provider.region for call in at.upstream.calls}
    assert all(not bond or asked <= set(bond) for bond in (user_bond, key_bond))
    if not at.upstream.calls:
        assert at.journal.intents == []
        return
    at.settled_once()
    assert len(at.upstream.calls) == at.settlement.attempts
    assert at.settlement.charge_pico <= at.settlement.hold_pico
