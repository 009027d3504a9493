"""Notices one person who makes many accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import Registrations
from softix_proxy.domain.abuse.rule import ALERT_ONLY, AbuseRule, Suspicion, Threshold, Thresholds


def _find(seen: Registrations, limits: Thresholds) -> Iterator[Suspicion]:
    networks = Counter(each.network for each in seen.made if each.network)
    for network, count in networks.items():
        if count >= limits["of_a_network"]:
            devices = len({each.device for each in seen.made if each.network == network})
            text = f"{count} accounts were made from this network within a day, from {devices} kinds of devices."
            yield Suspicion(network, text, {"accounts": count, "devices": devices})
    mailboxes = Counter(each.mailbox for each in seen.made)
    for mailbox, count in mailboxes.items():
        if count >= limits["of_a_mailbox"]:
            first = min(each.account for each in seen.made if each.mailbox == mailbox)
            text = f"{count} accounts were made within a day whose e-mail addresses differ only behind a plus."
            yield Suspicion(first, text, {"accounts": count})


RULE = AbuseRule(
    "many-accounts",
    "Many accounts are made from one network, or for one mailbox, within a day.",
    "It cannot see a person who changes the network and the mailbox for each account.",
    Registrations,
    (
        Threshold("of_a_network", 10, "accounts a day", "from one network", 2),
        Threshold("of_a_mailbox", 3, "accounts a day", "for one mailbox", 2),
    ),
    _find,
    actions=ALERT_ONLY,
)
