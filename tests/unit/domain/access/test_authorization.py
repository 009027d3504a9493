from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.playbook import KEY, LAB, MODEL, USER

from softix_proxy.domain.access.authorization import AccessDenial, access, is_active, names_of
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import ProviderStatus

REGIONS = ("eu", "us", "ch")
bonds = st.lists(st.sampled_from(REGIONS), max_size=2, unique=True).map(tuple)
OFF = replace(MODEL, status=ModelStatus.DISABLED)


@given(st.none() | st.sampled_from(REGIONS), bonds, bonds)
def test_access_of_a_bound_user_or_key_ends_at_the_regions_of_both(
    region: str | None, user_bond: tuple[str, ...], key_bond: tuple[str, ...]
) -> None:
    """A provider whose region nobody told is in none."""
    user, key, provider = replace(USER, regions=user_bond), replace(KEY, regions=key_bond), replace(LAB, region=region)
    inside = all(not bond or region in bond for bond in (user_bond, key_bond))
    for model in (None, MODEL):
        assert access(user, key, provider, model) is (None if inside else AccessDenial.REGION)


@pytest.mark.parametrize(
    ("patterns", "route_name", "allowed"),
    [
        ((), "", True),
        (("llama",), "", True),
        (("lab/*",), "", True),
        (("gpt-*", "ll?ma"), "", True),
        (("gpt-*",), "", False),
        (("Llama",), "", False),
        (("best",), "best", True),
        (("best",), "", False),
        (("llama",), "best", True),
    ],
)
def test_access_with_patterns_goes_by_the_names_of_model_and_route(
    patterns: tuple[str, ...], route_name: str, allowed: bool
) -> None:
    found = access(USER, replace(KEY, models=patterns), LAB, MODEL, route_name=route_name)
    assert found is (None if allowed else AccessDenial.NOT_ALLOWED)


def test_access_to_a_provider_alone_does_not_ask_which_models_the_key_may_use() -> None:
    assert access(USER, replace(KEY, models=("gpt-*",)), LAB) is None


def test_access_denied_for_several_reasons_tells_the_weightiest() -> None:
    elsewhere = replace(KEY, regions=("eu",))
    neither = replace(elsewhere, models=("gpt-*",))
    assert access(USER, elsewhere, LAB, MODEL) is AccessDenial.REGION
    assert access(USER, neither, LAB, MODEL) is AccessDenial.NOT_ALLOWED
    assert access(USER, neither, LAB, OFF) is AccessDenial.DISABLED


@pytest.mark.parametrize("status", [ProviderStatus.DISABLED, ProviderStatus.REMOVED])
def test_access_to_a_provider_that_is_off_is_denied(status: ProviderStatus) -> None:
    provider = replace(LAB, status=status)
    assert access(USER, KEY, provider) is access(USER, KEY, provider, MODEL) is AccessDenial.DISABLED
    assert not is_active(provider) and not is_active(provider, MODEL)


def test_names_of_a_model_are_its_own_and_the_one_with_its_provider() -> None:
    assert names_of(LAB, MODEL) == ("llama", "lab/llama")


def test_is_active_asks_for_the_model_where_there_is_one() -> None:
    assert (is_active(LAB), is_active(LAB, MODEL), is_active(LAB, OFF)) == (True, True, False)
