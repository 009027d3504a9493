from __future__ import annotations

import pytest
from support.abuse_lab import act
from support.engines import Books

from softix_proxy.domain.abuse.abuse import Tuning
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.abuse.rule_table import RULES
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.operations.abuse import abuse


def test_later_tuning_counts_before_an_earlier_one_and_the_rule() -> None:
    rule = RULES["spend"]
    assert abuse.in_force(rule, None, None).thresholds == rule.defaults
    for_all = Tuning("spend", 0, enabled=False, thresholds={"factor": 20, "history_days": 9, "gone": 1})
    found = abuse.in_force(rule, for_all, Tuning("spend", 1, enabled=True, thresholds={"factor": 30}))
    assert (found.enabled, found.action) == (True, AbuseAction.ALERT)
    assert found.thresholds == {**rule.defaults, "factor": 30, "history_days": 9}


async def test_list_goes_on_before_an_alert_and_leaves_noted_ones_out(books: Books) -> None:
    public_id = await act(books, AbuseAction.ALERT)
    assert await abuse.list_all(books.storage, limit=9, before=public_id) == []
    await abuse.acknowledge(books.storage, public_id)
    assert await abuse.list_all(books.storage, limit=9, only_open=True) == []
    assert len(await abuse.list_all(books.storage, limit=9)) == 1
    with pytest.raises(NotFoundError):
        await abuse.list_all(books.storage, limit=9, before="abu_none")


async def test_rule_that_is_about_no_key_cannot_act(books: Books) -> None:
    with pytest.raises(BadInputError, match="cannot suspend"):
        await abuse.tune(books.storage, "guessing", action=AbuseAction.SUSPEND)
