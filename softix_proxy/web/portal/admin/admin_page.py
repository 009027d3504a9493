"""What the pages under /admin have in common: the operator's menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.organisations.organisation_keys import condition
from softix_proxy.web.portal.admin.faults import ShownFault
from softix_proxy.web.portal.core.page import Page, PageRequest

S = TypeVar("S", bound=StrEnum)


class AdminSection(NamedTuple):
    """One entry of the operator's menu. Its text is `nav.operator_NAME` of the catalogue."""

    name: str
    path: str
    permission: Permission | None = None
    """What opens it. None for every operator."""


_OWN = AdminSection("operator_own", "/")
SECTIONS: Sequence[AdminSection] = (
    AdminSection("operator_overview", "/admin"),
    AdminSection("operator_users", "/admin/users", Permission.USERS_READ),
    AdminSection("operator_keys", "/admin/keys", Permission.KEYS_READ),
    AdminSection("operator_usage", "/admin/usage", Permission.USAGE_READ),
    AdminSection("operator_traffic", "/admin/traffic", Permission.USAGE_READ),
    AdminSection("operator_providers", "/admin/providers", Permission.PROVIDERS_READ),
    AdminSection("operator_models", "/admin/models", Permission.MODELS_READ),
    AdminSection("operator_routes", "/admin/routes", Permission.ROUTES_READ),
    AdminSection("operator_prices", "/admin/prices", Permission.PRICES_READ),
    AdminSection("operator_payments", "/admin/payments", Permission.PAYMENTS_READ),
    AdminSection("operator_documents", "/admin/documents", Permission.BILLS_READ),
    AdminSection("operator_mail", "/admin/mail", Permission.MAIL_READ),
    AdminSection("operator_accounts", "/admin/accounts", Permission.ACCOUNTS_READ),
    AdminSection("operator_security", "/admin/security-events", Permission.ACCOUNTS_READ),
    AdminSection("operator_abuse", "/admin/abuse", Permission.ABUSE_READ),
    AdminSection("operator_audit", "/admin/audit", Permission.AUDIT_READ),
)
"""The pages in the order of their use."""


@dataclass(frozen=True, slots=True)
class OperatorView:
    """What a template knows of the operator who looks at it."""

    permissions: frozenset[Permission]

    def may(self, permission: str) -> bool:
        """Returns whether the operator has this permission. A page offers nothing that the door refuses."""
        return Permission(permission) in self.permissions


def admin_page(request: PageRequest, template: str, *, fault: ShownFault | None = None, **values: Any) -> Page:
    """Returns a page. A fault is shown above its form, and decides the status.

    The menu of the frame is replaced by the operator's own, which has only what this operator may open.
    """
    own = [one for one in SECTIONS if request.principal.may(one.permission)]
    frame = {
        "operator": OperatorView(request.principal.permissions),
        "menu": [*own, _OWN],
        "is_current": partial(_is_current, request.path),
        "condition_of": partial(condition, now_us=request.now_us),
    }
    return Page(template, {**frame, "fault": fault, **values}, fault.status if fault else 200)


def _is_current(path: str, section: AdminSection) -> bool:
    return path == section.path or (section.path.count("/") > 1 and path.startswith(f"{section.path}/"))


def asked_status(request: PageRequest, statuses: Mapping[S, str]) -> tuple[S, str]:
    """Returns the status that a button of the page asks for, and the operation that sets it.

    `statuses` has those of the buttons. Any other word raises BadInputError. Whatever removes something for good is
    left to a command.
    """
    text = request.form.get("status", "")
    found = next(((status, operation) for status, operation in statuses.items() if status == text), None)
    if found is None:
        raise BadInputError("this status cannot be set here", "use the button of the page")
    return found
