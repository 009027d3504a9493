from __future__ import annotations

from support.abuse_traffic import found

from softix_proxy.domain.abuse.evidence import LeakReport
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.abuse.rules.leaked_key import RULE


def test_reported_key_is_noticed_with_the_kind_of_place_and_suspended() -> None:
    [suspicion] = found(RULE, LeakReport(7, "key_seven", 3, "commit"))
    assert (suspicion.subject, suspicion.key_id, suspicion.user_id) == ("key_seven", 7, 3)
    assert "'commit'" in suspicion.text
    assert RULE.action is AbuseAction.SUSPEND
