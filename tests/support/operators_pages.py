"""Every page and action under /admin: who may use it, and what it then answers over one of everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from softix_proxy.domain.access.roles import OPERATOR_ROLES
from softix_proxy.domain.core.ids import format_request_id

USER, SUPPORT, BILLING, AUDITOR, ADMIN, OWNER = OPERATOR_ROLES
EVERYBODY = frozenset({SUPPORT, BILLING, AUDITOR, ADMIN, OWNER})
TOKEN = "adm_0123456789abcdef"
POSTING = {"kind": "adjust", "amount": "1.00", "reason": "goodwill", "token": TOKEN}
LIMITS = {"label": "ci", "models": "ll*", "rpm": "6", "tpm": "", "concurrency": "", "cap": "", "cap_period": "day"}
SEES_PRICES = EVERYBODY - {SUPPORT}
CASES: Mapping[tuple[str, str, str], tuple[int, Collection[str], Mapping[str, str]]] = {
    ("GET", "/admin", "/admin"): (200, EVERYBODY, {}),
    ("GET", "/admin/users", "/admin/users"): (200, EVERYBODY, {}),
    ("GET", "/admin/users/{id}", "/admin/users/usr_ada"): (200, EVERYBODY, {}),
    ("GET", "/admin/users/{id}/edit", "/admin/users/usr_ada/edit"): (200, {ADMIN, OWNER}, {}),
    ("POST", "/admin/users/{id}/edit", "/admin/users/usr_ada/edit"): (
        303,
        {ADMIN, OWNER},
        {"name": "ada", "email": "ada@example.net", "display_name": "", "postpaid": "no"},
    ),
    ("POST", "/admin/users/{id}/status", "/admin/users/usr_ada/status"): (303, {ADMIN, OWNER}, {"status": "disabled"}),
    ("GET", "/admin/users/{id}/balance", "/admin/users/usr_ada/balance"): (200, SEES_PRICES, {}),
    ("GET", "/admin/users/{id}/balance/change", "/admin/users/usr_ada/balance/change"): (
        200,
        {BILLING, ADMIN, OWNER},
        {},
    ),
    ("POST", "/admin/users/{id}/balance/change", "/admin/users/usr_ada/balance/change"): (
        200,
        {BILLING, ADMIN, OWNER},
        POSTING,
    ),
    ("POST", "/admin/users/{id}/balance/post", "/admin/users/usr_ada/balance/post"): (
        303,
        {BILLING, ADMIN, OWNER},
        POSTING,
    ),
    ("GET", "/admin/keys", "/admin/keys"): (200, EVERYBODY, {}),
    ("GET", "/admin/keys/{id}", "/admin/keys/key_one"): (200, EVERYBODY, {}),
    ("GET", "/admin/keys/{id}/edit", "/admin/keys/key_one/edit"): (200, {ADMIN, OWNER}, {}),
    ("POST", "/admin/keys/{id}/edit", "/admin/keys/key_one/edit"): (303, {ADMIN, OWNER}, LIMITS),
    ("POST", "/admin/keys/{id}/revoke", "/admin/keys/key_one/revoke"): (303, {SUPPORT, ADMIN, OWNER}, {"sure": "yes"}),
    ("GET", "/admin/usage", "/admin/usage"): (200, EVERYBODY, {}),
    ("GET", "/admin/usage/{id}", f"/admin/usage/{format_request_id(1)}"): (200, EVERYBODY, {}),
    ("GET", "/admin/traffic", "/admin/traffic"): (200, EVERYBODY, {}),
    ("GET", "/admin/providers", "/admin/providers"): (200, SEES_PRICES, {}),
    ("GET", "/admin/providers/{id}", "/admin/providers/prv_lab"): (200, SEES_PRICES, {}),
    ("GET", "/admin/providers/{id}/disable", "/admin/providers/prv_lab/disable"): (200, {ADMIN, OWNER}, {}),
    ("POST", "/admin/providers/{id}/status", "/admin/providers/prv_lab/status"): (
        303,
        {ADMIN, OWNER},
        {"status": "disabled"},
    ),
    ("GET", "/admin/models", "/admin/models"): (200, SEES_PRICES, {}),
    ("POST", "/admin/models", "/admin/models"): (303, {ADMIN, OWNER}, {"model": "lab/llama", "status": "disabled"}),
    ("GET", "/admin/routes", "/admin/routes"): (200, SEES_PRICES, {}),
    ("POST", "/admin/routes/{id}/status", "/admin/routes/rte_one/status"): (303, {ADMIN, OWNER}, {"status": "active"}),
    ("GET", "/admin/prices", "/admin/prices"): (200, SEES_PRICES, {}),
    ("GET", "/admin/prices/proposals", "/admin/prices/proposals"): (200, SEES_PRICES, {}),
    ("POST", "/admin/prices/proposals", "/admin/prices/proposals"): (
        303,
        {BILLING, ADMIN, OWNER},
        {"model": "lab/llama", "decision": "approve", "seen": "1-24"},
    ),
    ("GET", "/admin/payments", "/admin/payments"): (200, SEES_PRICES, {}),
    ("POST", "/admin/payments/refunds/{id}", "/admin/payments/refunds/rfd_open"): (
        303,
        {BILLING, ADMIN, OWNER},
        {"decision": "refuse"},
    ),
    ("GET", "/admin/documents", "/admin/documents"): (200, SEES_PRICES, {}),
    ("GET", "/admin/documents/{number}.{form}", "/admin/documents/INV-00001.html"): (200, SEES_PRICES, {}),
    ("GET", "/admin/mail", "/admin/mail"): (200, {SUPPORT, AUDITOR, ADMIN, OWNER}, {}),
    ("POST", "/admin/mail/{id}/retry", "/admin/mail/MESSAGE/retry"): (303, {SUPPORT, ADMIN, OWNER}, {}),
    ("GET", "/admin/accounts", "/admin/accounts"): (200, {AUDITOR, ADMIN, OWNER}, {}),
    ("GET", "/admin/accounts/{id}", "/admin/accounts/acc_ada"): (200, {AUDITOR, ADMIN, OWNER}, {}),
    ("GET", "/admin/accounts/{id}/role", "/admin/accounts/acc_ada/role"): (200, {ADMIN, OWNER}, {}),
    ("POST", "/admin/accounts/{id}/role", "/admin/accounts/acc_ada/role"): (303, {ADMIN, OWNER}, {"role": "support"}),
    ("POST", "/admin/accounts/{id}/status", "/admin/accounts/acc_ada/status"): (
        303,
        {ADMIN, OWNER},
        {"status": "active"},
    ),
    ("GET", "/admin/security-events", "/admin/security-events"): (200, {AUDITOR, ADMIN, OWNER}, {}),
    ("GET", "/admin/abuse", "/admin/abuse"): (200, {SUPPORT, AUDITOR, ADMIN, OWNER}, {}),
    ("POST", "/admin/abuse/{id}/ack", "/admin/abuse/abu_one/ack"): (303, {SUPPORT, ADMIN, OWNER}, {}),
    ("GET", "/admin/audit", "/admin/audit"): (200, {AUDITOR, ADMIN, OWNER}, {}),
    ("GET", "/admin/audit/{number}", "/admin/audit/1"): (200, {AUDITOR, ADMIN, OWNER}, {}),
}
"""Method, pattern and path → the status for these roles, and the form. To everybody else there is no such page."""
