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
def test_access_of_user_and_key_with_regions_is_denied_unless_the_region_is_in_both(
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
def test_access_with_model_patterns_is_decided_by_the_names_of_model_and_route(
    patterns: tuple[str, ...], route_name: str, allowed: bool
) -> None:
    found = access(USER, replace(KEY, models=patterns), LAB, MODEL, route_name=route_name)
    assert found is (None if allowed else AccessDenial.NOT_ALLOWED)


def test_access_to_provider_without_model_ignores_the_model_patterns_of_the_key() -> None:
    assert access(USER, replace(KEY, models=("gpt-*",)), LAB) is None


def test_access_denied_for_several_reasons_returns_the_gravest_reason() -> None:
    elsewhere = replace(KEY, regions=("eu",))
    neither = replace(elsewhere, models=("gpt-*",))
    assert access(USER, elsewhere, LAB, MODEL) is AccessDenial.REGION
    assert access(USER, neither, LAB, MODEL) is AccessDenial.NOT_ALLOWED
    assert access(USER, neither, LAB, OFF) is AccessDenial.DISABLED


@pytest.mark.parametrize("status", [ProviderStatus.DISABLED, ProviderStatus.REMOVED])
def test_access_to_disabled_or_removed_provider_is_denied(status: ProviderStatus) -> None:
    provider = replace(LAB, status=status)
    assert access(USER, KEY, provider) is access(USER, KEY, provider, MODEL) is AccessDenial.DISABLED
    assert not is_active(provider) and not is_active(provider, MODEL)


def test_names_of_model_are_its_name_alone_and_with_its_provider() -> None:
    assert names_of(LAB, MODEL) == ("llama", "lab/llama")


def test_is_active_with_model_requires_an_active_model_too() -> None:
    assert (is_active(LAB), is_active(LAB, MODEL), is_active(LAB, OFF)) == (True, True, False)
