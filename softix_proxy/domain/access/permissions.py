"""The permissions: what somebody may do, as a noun of the product and what is done with it.

A permission to write does not include that to read. The tables of roles give both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """Opens operations: see `OPERATIONS`."""

    USERS_READ = "users.read"
    USERS_WRITE = "users.write"
    ACCOUNTS_READ = "accounts.read"
    """See the accounts of people, their factors, and what happened to their security."""
    ACCOUNTS_WRITE = "accounts.write"
    """Create, disable and enable accounts, set their roles, end their sessions, and remove their factors."""
    ORGANISATIONS_READ = "organisations.read"
    ORGANISATIONS_WRITE = "organisations.write"
    """Invite, change and remove members."""
    ORGANISATIONS_OWN = "organisations.own"
    """Make and unmake owners of an organisation."""
    PROJECTS_READ = "projects.read"
    PROJECTS_WRITE = "projects.write"
    BUDGETS_READ = "budgets.read"
    BUDGETS_WRITE = "budgets.write"
    KEYS_READ = "keys.read"
    """See keys, their limits and their spend. Nobody sees a key's text."""
    KEYS_OWN = "keys.own"
    """Create, change and revoke keys of one's own."""
    KEYS_WRITE = "keys.write"
    KEYS_REVOKE = "keys.revoke"
    """Revoke keys and nothing else: a key that leaked must not wait for somebody else."""
    OBJECTS_READ = "objects.read"
    OBJECTS_WRITE = "objects.write"
    BALANCE_READ = "balance.read"
    BALANCE_WRITE = "balance.write"
    """Add to a balance, adjust it, and set how far it may go below zero."""
    PAYMENTS_READ = "payments.read"
    PAYMENTS_WRITE = "payments.write"
    """Pay, set automatic top-ups, and decide on refunds."""
    PROVIDERS_READ = "providers.read"
    """See providers and their health. Nobody sees a provider's key."""
    PROVIDERS_WRITE = "providers.write"
    MODELS_READ = "models.read"
    MODELS_WRITE = "models.write"
    ROUTES_READ = "routes.read"
    ROUTES_WRITE = "routes.write"
    PRICES_READ = "prices.read"
    PRICES_WRITE = "prices.write"
    USAGE_READ = "usage.read"
    """See requests, what they cost, and those that run now."""
    USAGE_WRITE = "usage.write"
    """Correct and reprice usage."""
    BATCHES_READ = "batches.read"
    BATCHES_WRITE = "batches.write"
    BOUNDS_READ = "bounds.read"
    BOUNDS_WRITE = "bounds.write"
    PERIODS_READ = "periods.read"
    PERIODS_WRITE = "periods.write"
    EXPORTS_READ = "exports.read"
    EXPORTS_WRITE = "exports.write"
    """Make signed exports."""
    BILLS_READ = "bills.read"
    BILLS_WRITE = "bills.write"
    LEDGER_READ = "ledger.read"
    LEDGER_WRITE = "ledger.write"
    MAIL_READ = "mail.read"
    MAIL_WRITE = "mail.write"
    MAIL_RETRY = "mail.retry"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_WRITE = "webhooks.write"
    """Set up who is told of events by signed requests, and have events told again."""
    ABUSE_READ = "abuse.read"
    """See the alerts of the rules against abuse, and the rules."""
    ABUSE_ACK = "abuse.ack"
    """Take note of alerts, and nothing else."""
    ABUSE_WRITE = "abuse.write"
    """Tune the rules, act on alerts, and undo what was done."""
    AUDIT_READ = "audit.read"
    ADDRESSES_READ = "addresses.read"
    """See from where and with which programs keys are used."""
    ADDRESSES_WRITE = "addresses.write"
    """Remove technical data before its time."""
    TOKENS_READ = "tokens.read"
    TOKENS_WRITE = "tokens.write"
    """Create and revoke admin tokens. Nobody gives a token more than they have."""
    INSTANCE_READ = "instance.read"
    """See the configuration, the checks of the instance, and the state of its master key."""
    INSTANCE_WRITE = "instance.write"
    """Store the instance's own secrets, and rotate its master key."""

    @property
    def is_read(self) -> bool:
        return self.value.endswith(".read")


READS: Final = frozenset(each for each in Permission if each.is_read)
WITHOUT_PROOF: Final = READS | {Permission.KEYS_REVOKE, Permission.MAIL_RETRY, Permission.ABUSE_ACK}
"""The permissions that the portal lets operators use without a recent proof of who they are.

All others give something to somebody.
"""
