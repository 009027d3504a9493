from __future__ import annotations

import pytest

from softix_proxy.domain.abuse.rule_table import RULES
from softix_proxy.domain.core.errors import BadInputError


def test_thresholds_that_an_operator_gives_are_known_and_in_range() -> None:
    rule = RULES["spend"]
    assert rule.checked({"factor": 2}) == {"factor": 2}
    for name, value in (("factor", 1), ("factor", 1001), ("speed", 5)):
        with pytest.raises(BadInputError, match=name):
            rule.checked({name: value})


def test_every_threshold_has_a_unit_a_meaning_and_a_value_in_its_range() -> None:
    for rule in RULES.values():
        assert rule.summary.endswith(".") and rule.blind_to.endswith(".")
        assert rule.checked(rule.defaults) == rule.defaults
        assert all(each.unit and each.meaning for each in rule.thresholds)
