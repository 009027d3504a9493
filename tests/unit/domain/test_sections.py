from dataclasses import fields

import pytest

from softix_proxy.domain import sections
from softix_proxy.domain.sections import MoneySection, RoutingSection, ServerSection, UpstreamSection


def test_sizes_are_stated_in_mib() -> None:
    assert ServerSection(max_body_mib=2).max_body_bytes == 2 * 2**20
    assert UpstreamSection(drain_limit_mib=3).drain_limit_bytes == 3 * 2**20


def test_a_crash_and_failed_attempts_cost_nothing_unless_said() -> None:
    assert (MoneySection().interrupted_charge, MoneySection().charge_failed_attempts) == ("nothing", "never")


@pytest.mark.parametrize(
    "section", [ServerSection, UpstreamSection, MoneySection, RoutingSection, sections.LogSection, sections.DemoSection]
)
def test_each_setting_says_what_it_is(section: type) -> None:
    for setting in fields(section):
        assert setting.metadata["doc"].endswith("."), setting.name
