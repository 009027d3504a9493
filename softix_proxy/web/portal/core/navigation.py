"""The menu: which pages a person can go to from every page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.organisations.organisations import Right
from softix_proxy.web.portal.core.page import Viewer


class MenuItem(NamedTuple):
    """One entry of the menu. Its text is `nav.NAME` of the catalogue."""

    name: str
    path: str
    right: Right | None = None
    """The right that the person needs in the organisation. None for every person who signed in."""
    is_for_operators: bool = False


_ITEMS: Sequence[MenuItem] = (
    MenuItem("overview", "/", Right.SEE),
    MenuItem("keys", "/keys", Right.SEE),
    MenuItem("usage", "/usage", Right.SEE),
    MenuItem("limits", "/limits", Right.SEE),
    MenuItem("models", "/models", Right.SEE),
    MenuItem("connect", "/connect", Right.SEE),
    MenuItem("billing", "/billing", Right.SEE_BILLING),
    MenuItem("members", "/members", Right.SEE),
    MenuItem("projects", "/projects", Right.SEE),
    MenuItem("account", "/account"),
    MenuItem("admin", "/admin", is_for_operators=True),
)


def menu(viewer: Viewer, served: Collection[str]) -> list[MenuItem]:
    """Returns the entries that the person may open. `served` are the paths that exist."""
    return [item for item in _ITEMS if item.path in served and _may_open(viewer, item)]


def is_current(item: MenuItem, path: str) -> bool:
    """Returns whether the page at `path` belongs to the entry."""
    return path == item.path or (item.path != "/" and path.startswith(f"{item.path}/"))


def _may_open(viewer: Viewer, item: MenuItem) -> bool:
    if item.is_for_operators:
        return viewer.account.role is not UserRole.USER
    if item.right is None:
        return True
    return viewer.membership is not None and viewer.membership.may(item.right)
