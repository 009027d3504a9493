"""The menu: which pages a person can go to from every page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.accounts import permissions_of
from softix_proxy.web.portal.core.page import Viewer


class MenuItem(NamedTuple):
    """One entry of the menu. Its text is `nav.NAME` of the catalogue."""

    name: str
    path: str
    permission: Permission | None = None
    """What the person needs in the organisation. None for every person who signed in."""
    is_for_operators: bool = False


_ITEMS: Sequence[MenuItem] = (
    MenuItem("overview", "/", Permission.ORGANISATIONS_READ),
    MenuItem("keys", "/keys", Permission.ORGANISATIONS_READ),
    MenuItem("usage", "/usage", Permission.ORGANISATIONS_READ),
    MenuItem("limits", "/limits", Permission.ORGANISATIONS_READ),
    MenuItem("models", "/models", Permission.ORGANISATIONS_READ),
    MenuItem("connect", "/connect", Permission.ORGANISATIONS_READ),
    MenuItem("billing", "/billing", Permission.PAYMENTS_READ),
    MenuItem("members", "/members", Permission.ORGANISATIONS_READ),
    MenuItem("projects", "/projects", Permission.ORGANISATIONS_READ),
    MenuItem("account", "/account"),
    MenuItem("admin", "/admin", is_for_operators=True),
)


def menu(viewer: Viewer, served: Collection[str], roles: OperatorRoles) -> list[MenuItem]:
    """Returns the entries that the person may open. `served` are the paths that exist."""
    return [item for item in _ITEMS if item.path in served and _may_open(viewer, item, roles)]


def is_current(item: MenuItem, path: str) -> bool:
    """Returns whether the page at `path` belongs to the entry."""
    return path == item.path or (item.path != "/" and path.startswith(f"{item.path}/"))


def _may_open(viewer: Viewer, item: MenuItem, roles: OperatorRoles) -> bool:
    if item.is_for_operators:
        return bool(permissions_of(viewer.account, roles))
    if item.permission is None:
        return True
    return viewer.membership is not None and viewer.membership.may(item.permission)
