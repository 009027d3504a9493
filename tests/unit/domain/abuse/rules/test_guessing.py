from __future__ import annotations

from support.abuse_traffic import found

from softix_proxy.domain.abuse.evidence import Guesses
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.abuse.rules.guessing import RULE


def test_network_that_guesses_keys_or_passwords_is_noticed() -> None:
    [keys] = found(RULE, Guesses("192.0.2.7", keys=100, sign_ins=0))
    [passwords] = found(RULE, Guesses("192.0.2.8", keys=0, sign_ins=40))
    assert (keys.subject, keys.key_id, keys.figures) == ("192.0.2.7", None, {"keys": 100, "sign_ins": 0})
    assert "100 API keys that are not valid" in keys.text
    assert "40 sign-ins that failed" in passwords.text


def test_network_of_an_office_with_a_wrong_key_and_typed_passwords_is_not_noticed() -> None:
    assert found(RULE, Guesses("192.0.2.7", keys=99, sign_ins=39)) == []


def test_rule_without_a_key_can_only_alert() -> None:
    assert RULE.actions == {AbuseAction.ALERT}
