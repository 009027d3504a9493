from dataclasses import fields

import pytest

from softix_proxy.domain.instance import sections
from softix_proxy.domain.instance.sections import MoneySection, RoutingSection, ServerSection, UpstreamSection


def test_section_sizes_in_mib_are_converted_to_bytes() -> None:
    assert ServerSection(max_body_mib=2).max_body_bytes == 2 * 2**20
    assert UpstreamSection(drain_limit_mib=3).drain_limit_bytes == 3 * 2**20


def test_money_section_by_default_charges_nothing_for_crashes_and_failed_attempts() -> None:
    assert (MoneySection().interrupted_charge, MoneySection().charge_failed_attempts) == ("nothing", "never")


@pytest.mark.parametrize(
    "section", [ServerSection, UpstreamSection, MoneySection, RoutingSection, sections.LogSection, sections.DemoSection]
)
def test_setting_of_each_section_has_a_description_that_ends_with_a_full_stop(section: type) -> None:
    for setting in fields(section):
        assert setting.metadata["doc"].endswith("."), setting.name
