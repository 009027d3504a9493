"""What the pages under /admin have in common: the operator's menu, and where a change of something is written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from softix_proxy.domain.accounts.audit import AuditAction
from softix_proxy.domain.accounts.operator_rights import OperatorRight, rights_of
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.accounts.audit import AuditedStorage
from softix_proxy.operations.organisations.organisation_keys import condition
from softix_proxy.web.portal.admin.faults import ShownFault
from softix_proxy.web.portal.core.page import Page, PageRequest

S = TypeVar("S", bound=StrEnum)


class AdminSection(NamedTuple):
    """One entry of the operator's menu. Its text is `nav.operator_NAME` of the catalogue."""

    name: str
    path: str
    right: OperatorRight | None = None
    """The right that opens it. None for every operator."""


_OWN = AdminSection("operator_own", "/")
SECTIONS: Sequence[AdminSection] = (
    AdminSection("operator_overview", "/admin"),
    AdminSection("operator_users", "/admin/users", OperatorRight.SEE_USERS),
    AdminSection("operator_keys", "/admin/keys", OperatorRight.SEE_KEYS),
    AdminSection("operator_usage", "/admin/usage", OperatorRight.SEE_USAGE),
    AdminSection("operator_traffic", "/admin/traffic", OperatorRight.SEE_USAGE),
    AdminSection("operator_providers", "/admin/providers", OperatorRight.SEE_CATALOG),
    AdminSection("operator_models", "/admin/models", OperatorRight.SEE_CATALOG),
    AdminSection("operator_routes", "/admin/routes", OperatorRight.SEE_CATALOG),
    AdminSection("operator_prices", "/admin/prices", OperatorRight.SEE_CATALOG),
    AdminSection("operator_payments", "/admin/payments", OperatorRight.SEE_MONEY),
    AdminSection("operator_documents", "/admin/documents", OperatorRight.SEE_MONEY),
    AdminSection("operator_mail", "/admin/mail", OperatorRight.SEE_MAIL),
    AdminSection("operator_accounts", "/admin/accounts", OperatorRight.SEE_SECURITY),
    AdminSection("operator_security", "/admin/security-events", OperatorRight.SEE_SECURITY),
    AdminSection("operator_audit", "/admin/audit", OperatorRight.SEE_SECURITY),
)
"""The pages in the order of their use."""


@dataclass(frozen=True, slots=True)
class OperatorView:
    """What a template knows of the operator who looks at it."""

    rights: frozenset[OperatorRight]

    def may(self, right: str) -> bool:
        """Returns whether the operator has the right of this name. A page offers nothing that the door refuses."""
        return OperatorRight(right) in self.rights


def admin_page(request: PageRequest, template: str, *, fault: ShownFault | None = None, **values: Any) -> Page:
    """Returns a page. A fault is shown above its form, and decides the status.

    The menu of the frame is replaced by the operator's own, which has only what this operator may open.
    """
    rights = rights_of(request.viewer.account)
    own = [one for one in SECTIONS if one.right is None or one.right in rights]
    frame = {
        "operator": OperatorView(rights),
        "menu": [*own, _OWN],
        "is_current": partial(_is_current, request.path),
        "condition_of": partial(condition, now_us=request.now_us),
    }
    return Page(template, {**frame, "fault": fault, **values}, fault.status if fault else 200)


def _is_current(path: str, section: AdminSection) -> bool:
    return path == section.path or (section.path.count("/") > 1 and path.startswith(f"{section.path}/"))


def audited(
    request: PageRequest,
    action: AuditAction,
    subject: str,
    is_done: Callable[[Unit], Awaitable[bool]] | None = None,
) -> AuditedStorage:
    """Returns the storage for an operation that changes something: who did what is written in its transaction."""
    return AuditedStorage(request.storage, request.viewer.account.public_id, action, subject, is_done)


def asked_status(request: PageRequest, actions: Mapping[S, AuditAction]) -> tuple[S, AuditAction]:
    """Returns the status that a button of the page asks for, and its action. Raises BadInputError for any other word.

    `actions` has the statuses of the buttons. Whatever removes something for good is left to a command.
    """
    text = request.form.get("status", "")
    found = next(((status, action) for status, action in actions.items() if status == text), None)
    if found is None:
        raise BadInputError("this status cannot be set here", "use the button of the page")
    return found
