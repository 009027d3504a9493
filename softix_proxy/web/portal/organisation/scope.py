"""Whose organisation a page is about. It is never one that a form names."""

from __future__ import annotations

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.web.portal.core.page import PageRequest


def scope_of(request: PageRequest) -> OrganisationScope:
    """Returns the view of the person who looks at the page. Raises NotFoundError for one who is in no organisation."""
    viewer = request.viewer
    if viewer.membership is None or viewer.organisation is None:
        raise NotFoundError("you are a member of no organisation")
    return OrganisationScope(request.storage, viewer.organisation, viewer.membership)


def require(request: PageRequest, permission: Permission) -> OrganisationScope:
    """Returns the view of a person who may do this. Raises NotFoundError for anybody else.

    The operation asks again, under the write lock. Here it decides whether there is such a page.
    """
    scope = scope_of(request)
    scope.require(permission)
    return scope
