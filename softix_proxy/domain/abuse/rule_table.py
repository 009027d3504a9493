"""The table of all rules. A rule is a file in `rules/`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from softix_proxy.domain.abuse.rule import AbuseRule
from softix_proxy.domain.abuse.rules import (
    card_testing,
    guessing,
    hang_ups,
    leaked_key,
    many_accounts,
    many_addresses,
    new_country,
    new_network,
    off_hours,
    provider_errors,
    refused_requests,
    spend,
    token_use,
)
from softix_proxy.domain.core.errors import NotFoundError

RULES: Final[Mapping[str, AbuseRule[Any]]] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            spend.RULE,
            token_use.RULE,
            provider_errors.RULE,
            refused_requests.RULE,
            guessing.RULE,
            leaked_key.RULE,
            new_network.RULE,
            new_country.RULE,
            many_addresses.RULE,
            off_hours.RULE,
            many_accounts.RULE,
            card_testing.RULE,
            hang_ups.RULE,
        )
    }
)


def rule_named(name: str) -> AbuseRule[Any]:
    """Returns the rule of this name. Raises NotFoundError."""
    if name not in RULES:
        raise NotFoundError(f"there is no rule {name!r}", "see: softix abuse rules")
    return RULES[name]
