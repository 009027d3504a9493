from typing import Any

import pytest

from softix_proxy.domain.catalog.unknown_members import RULES, rule_of


@pytest.mark.parametrize(
    ("setting", "provider", "key", "rule"),
    [
        ("pass", None, None, "pass"),
        ("refuse", None, None, "refuse"),
        ("pass", "strip", None, "strip"),
        ("refuse", "strip", "pass", "pass"),
        ("refuse", None, "strip", "strip"),
    ],
)
def test_rule_of_a_key_comes_before_that_of_its_provider_and_the_setting(
    setting: Any, provider: Any, key: Any, rule: str
) -> None:
    assert rule_of(setting, provider, key) == rule


def test_rules_are_those_that_commands_and_settings_take() -> None:
    assert RULES == ("pass", "strip", "refuse")
