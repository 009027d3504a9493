from __future__ import annotations

from support.abuse_traffic import found

from softix_proxy.domain.abuse.evidence import Registration, Registrations
from softix_proxy.domain.abuse.rules.many_accounts import RULE


def made(count: int, *, network: str = "192.0.2.7", mailbox: str = "") -> list[Registration]:
    return [
        Registration(f"acc_{network}_{number}", network, mailbox or f"{network}-{number}", "Firefox on Linux")
        for number in range(count)
    ]


def test_many_accounts_of_one_network_are_noticed() -> None:
    [suspicion] = found(RULE, Registrations(made(10)))
    assert suspicion.subject == "192.0.2.7"
    assert "10 accounts" in suspicion.text and "1 kinds of devices" in suspicion.text
    assert suspicion.figures == {"accounts": 10, "devices": 1}


def test_accounts_of_one_mailbox_are_noticed_across_networks() -> None:
    same = [each for net in ("192.0.2.1", "192.0.2.2", "192.0.2.3") for each in made(1, network=net, mailbox="m")]
    [suspicion] = found(RULE, Registrations(same))
    assert suspicion.subject == "acc_192.0.2.1_0"
    assert "differ only behind a plus" in suspicion.text


def test_a_team_that_registers_from_its_office_is_not_noticed() -> None:
    assert found(RULE, Registrations(made(9))) == []
    assert found(RULE, Registrations(made(2, mailbox="m"))) == []
    assert found(RULE, Registrations([*made(9), *made(9, network="192.0.2.8")])) == []
    assert found(RULE, Registrations(made(30, network=""))) == [], "made by an operator, from no address"
