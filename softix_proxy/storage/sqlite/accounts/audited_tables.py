"""Which tables the audit follows, and which of their columns it may show.

Each column of a followed table is in exactly one list, and each table is in exactly one of the two tables below. A test
asks the schema, so that a new column cannot slip into the audit, or past it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class AuditedTable(NamedTuple):
    kind: str
    """What a row is called in the audit."""
    id: str
    """The columns whose values name the row, in order. A reference stands for the public id that it refers to."""
    shown: str = ""
    """The columns whose values are ids, numbers, instants, or words of softix."""
    hidden: str = ""
    """The columns with secrets or free text. The audit says that one was changed, and no more."""
    ignored: str = ""
    """The columns that say nothing of what somebody did."""
    events: frozenset[str] = frozenset(("insert", "update", "delete"))


_UPDATE: Final = frozenset(("update",))
_DELETE: Final = frozenset(("delete",))

AUDITED: Final[Mapping[str, AuditedTable]] = {
    "users": AuditedTable(
        "user", "public_id", "role status postpaid regions", "name email password_hash", "id created_at_us revision"
    ),
    "user_profiles": AuditedTable("user", "user_id", hidden="display_name"),
    "customers": AuditedTable("customer", "user_id", hidden="details"),
    "keys": AuditedTable(
        "key",
        "public_id",
        "user_id models rpm tpm concurrency cap_pico cap_period model_rates status expires_at_us rotated_from regions "
        "unknown_members tags end_users",
        "label prefix digest allow_ip",
        "id created_at_us revision earlier_models",
    ),
    "key_owners": AuditedTable("key_owner", "key_id from_number", "until_number account_id project_id"),
    "object_shares": AuditedTable("object_share", "id", "kind account_id user_id", "remote_id", "created_at_us"),
    "providers": AuditedTable(
        "provider",
        "public_id",
        "name type on_hang_up status region key_weight version_in_url drop_fields model_patterns unknown_members",
        "base_url sealed_key",
        "id created_at_us revision",
    ),
    "provider_keys": AuditedTable("provider_key", "public_id", "provider_id weight", "label sealed_key", "id"),
    "models": AuditedTable(
        "model",
        "provider_id name",
        "upstream_name context_tokens max_output_tokens status",
        "",
        "id created_at_us revision",
    ),
    "routes": AuditedTable(
        "route",
        "public_id",
        "name legs retries sticky connect_ms first_byte_ms idle_ms status",
        "",
        "id created_at_us revision",
    ),
    "prices": AuditedTable("price", "id", "model_id user_id source sheet starts_at_us", "", "created_at_us revision"),
    "price_proposals": AuditedTable(
        "price_proposal", "id", "model_id user_id source sheet starts_at_us", "", "created_at_us"
    ),
    "markups": AuditedTable(
        "markup",
        "id",
        "scope subject_id numerator denominator fee_pico starts_at_us",
        "",
        "created_at_us revision",
    ),
    "wallets": AuditedTable("wallet", "user_id", "posted_pico credit_pico", "", "held_pico"),
    "payments": AuditedTable(
        "payment",
        "public_id",
        "user_id account_id kind state asked_cents asked_tax_cents is_live paid_cents tax_cents refunded_cents "
        "disputed_cents held_cents credit_pico",
        "session_id intent_id failure",
        "id fetches posted_fetch changed_fetch created_at_us changed_at_us",
    ),
    "refund_requests": AuditedTable(
        "refund",
        "public_id",
        "payment_id account_id amount_cents state",
        "refund_id",
        "id created_at_us answered_at_us",
    ),
    "stripe_customers": AuditedTable("stripe_customer", "user_id is_live", "", "claim customer_id", "claimed_at_us"),
    "auto_top_ups": AuditedTable(
        "auto_top_up",
        "user_id",
        "enabled threshold_cents amount_cents monthly_cap_cents paused_at_us",
        "",
        "failures next_at_us",
    ),
    "periods": AuditedTable("period", "label", "zone from_us to_us closed_at_us", "rows_sha256 sums", "id"),
    "bills": AuditedTable(
        "bill",
        "number",
        "kind user_id period from_us to_us covers about_id cancels transfer_id exact_pico carried_pico",
        "document",
        "id series sequence issued_at_us",
    ),
    "manifests": AuditedTable("manifest", "id", "", "body_sha256 head signature"),
    "batches": AuditedTable(
        "batch",
        "id",
        "metered_at_us",
        "remote_id input_file provider_key",
        "family provider_id user_id key_id requests created_at_us",
        _UPDATE,
    ),
    "widened_bounds": AuditedTable(
        "bound",
        "model_id member",
        "excess_pico factor_permille dearest_pico",
        "",
        "id times missing_pico uncharged_pico first_at_us last_at_us last_request_id revision",
    ),
    "instance": AuditedTable("setting", "name", hidden="value"),
    "admin_tokens": AuditedTable(
        "token",
        "public_id",
        "role expires_at_us revoked_at_us",
        "label prefix digest",
        "id created_at_us used_at_us",
    ),
    "login_accounts": AuditedTable(
        "account",
        "public_id",
        "role status locale verified_at_us age_attested_at_us",
        "email folded_email display_name password_hash",
        "id created_at_us",
    ),
    "sessions": AuditedTable(
        "session",
        "public_id",
        "account_id method",
        "",
        "id digest second_factor is_pending device created_at_us seen_at_us reauthenticated_at_us idle_ends_at_us "
        "ends_at_us",
        _DELETE,
    ),
    "totp_factors": AuditedTable("app_factor", "account_id", "", "sealed_secret", "last_step created_at_us used_at_us"),
    "passkeys": AuditedTable(
        "passkey",
        "public_id",
        "account_id",
        "credential_id public_key label",
        "id sign_count created_at_us used_at_us",
    ),
    "recovery_codes": AuditedTable("recovery_code", "account_id", "", "digest", "created_at_us"),
    "federated_identities": AuditedTable(
        "federated_identity", "account_id", "issuer", "subject", "created_at_us used_at_us"
    ),
    "members": AuditedTable("member", "user_id account_id", "role", "", "created_at_us"),
    "projects": AuditedTable("project", "public_id", "user_id archived_at_us", "name", "id created_at_us"),
    "invitations": AuditedTable(
        "invitation",
        "public_id",
        "user_id role invited_by expires_at_us accepted_at_us revoked_at_us",
        "email",
        "id created_at_us",
    ),
    "budgets": AuditedTable(
        "budget",
        "public_id",
        "user_id account_id project_id period amount_pico zone reset_day alerts raised_pico raised_until_us",
        "",
        "id created_at_us held_pico spent_at_us spent_pico",
    ),
    "caps": AuditedTable(
        "cap",
        "user_id key_id models tag end_users period",
        "zone reset_day alerts amount_pico raised_pico raised_until_us",
        "",
        "id created_at_us held_pico spent_at_us spent_pico",
    ),
    "limit_templates": AuditedTable("template", "name", "kind parts", "", "id created_at_us"),
    "template_defaults": AuditedTable("template_default", "kind user_id", "template_id"),
    "abuse_alerts": AuditedTable(
        "abuse_alert",
        "public_id",
        "rule key_id user_id acked_us",
        "subject text figures",
        "id first_us last_us",
        _UPDATE,
    ),
    "abuse_actions": AuditedTable(
        "abuse_action", "public_id", "action key_id until_us undone_us", "", "id alert_id before began_us"
    ),
    "abuse_tunings": AuditedTable("abuse_tuning", "rule key_id", "enabled action thresholds"),
    "muted_notices": AuditedTable("muted_notice", "account_id kind"),
    "balance_thresholds": AuditedTable("balance_threshold", "account_id user_id threshold_pico"),
    "webhook_endpoints": AuditedTable(
        "webhook",
        "public_id",
        "kinds user_id status allow_private old_secret_until_us",
        "url sealed_secret sealed_old_secret",
        "id failing_since_us created_at_us",
    ),
    "webhook_deliveries": AuditedTable(
        "delivery",
        "public_id",
        "state",
        "",
        "id event_id endpoint_id attempts earlier_attempts began_at_us next_at_us status_code error ended_at_us",
        _UPDATE,
    ),
    "purges": AuditedTable("purge", "kind", "subject removed", "", "id at_us"),
    "outbox": AuditedTable(
        "message",
        "public_id",
        "kind account_id state",
        "email template_values sealed_links once error",
        "id attempts next_at_us created_at_us ended_at_us",
        _UPDATE,
    ),
}
"""Table → how the audit names and shows its rows."""

NOT_AUDITED: Final[Mapping[str, str]] = {
    "abuse_cursors": "This says how far the daemon has read.",
    "abuse_guesses": "These count requests.",
    "abuse_hours": "These are sums of requests.",
    "accounts": "The ledger's own accounts never change.",
    "account_tokens": "A link is told by the message that has it, and by what it is used for.",
    "attempts": "These are records of requests.",
    "audit": "This is the audit.",
    "audit_origins": "This is where entries of the audit came from, and it is purged.",
    "batch_lines": "These are records of requests.",
    "budget_alerts": "These are derived from what was spent.",
    "cap_alerts": "These are derived from what was spent.",
    "ceremonies": "These live for minutes, and what they lead to is followed.",
    "directory_revision": "This counts changes of other tables.",
    "former_members": "These follow from members.",
    "intents": "These are requests under way.",
    "key_budgets": "These follow from owners of keys and budgets.",
    "key_states": "These count what requests use.",
    "model_rate_states": "These count what requests use.",
    "notice_conditions": "These are found by the daemon.",
    "object_accounts": "These follow from objects.",
    "object_items": "These are made by requests.",
    "objects": "These are made by requests.",
    "payment_postings": "These are postings of payments.",
    "policy_acceptances": "This is the record itself.",
    "repeatable_calls": "These are answers of calls whose changes the audit has.",
    "security_events": "This is the record itself, and it is purged.",
    "stripe_events": "These were told by Stripe.",
    "target_health": "This is told by the daemon.",
    "technical_addresses": "These count requests, and are purged.",
    "technical_agents": "These count requests, and are purged.",
    "technical_guesses": "These count requests, and are purged.",
    "throttles": "These count attempts.",
    "transfers": "The ledger is the record of postings, and the audit has the wallets that they change.",
    "unpriced_asks": "These count requests.",
    "webhook_events": "These tell of changes that the audit has.",
    "usage": "These are records of requests.",
    "usage_tags": "These are records of requests.",
    "cap_end_users": "These follow from caps and records of requests.",
    "usage_daily": "These are sums of requests.",
}
"""Table → why the audit does not follow it."""

REFERENCES: Final[Mapping[str, str]] = {
    "user_id": "SELECT public_id FROM users WHERE id = ?",
    "account_id": "SELECT public_id FROM login_accounts WHERE id = ?",
    "invited_by": "SELECT public_id FROM login_accounts WHERE id = ?",
    "key_id": "SELECT public_id FROM keys WHERE id = ?",
    "rotated_from": "SELECT public_id FROM keys WHERE id = ?",
    "provider_id": "SELECT name FROM providers WHERE id = ?",
    "model_id": (
        "SELECT p.name || '/' || m.name FROM models AS m JOIN providers AS p ON p.id = m.provider_id WHERE m.id = ?"
    ),
    "project_id": "SELECT public_id FROM projects WHERE id = ?",
    "template_id": "SELECT name FROM limit_templates WHERE id = ?",
    "payment_id": "SELECT public_id FROM payments WHERE id = ?",
    "about_id": "SELECT number FROM bills WHERE id = ?",
}
"""Column → the statement that finds the name of what it refers to, in every table but those of `NOT_REFERENCES`."""
NOT_REFERENCES: Final = frozenset({("object_shares", "account_id")})
"""Columns of such a name that refer to something else."""
