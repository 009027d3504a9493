"""Whose organisation a page is about. It is never one that a form names."""

from __future__ import annotations

from typing import NamedTuple

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.organisations.organisations import Membership, Right
from softix_proxy.web.portal.core.page import PageRequest


class Standpoint(NamedTuple):
    organisation: str
    """The public id of the organisation that the person chose among the own ones."""
    member: Membership


def standpoint(request: PageRequest) -> Standpoint:
    """Raises NotFoundError for a person who is in no organisation."""
    viewer = request.viewer
    if viewer.membership is None or viewer.organisation is None:
        raise NotFoundError("you are a member of no organisation")
    return Standpoint(viewer.organisation.public_id, viewer.membership)


def require(request: PageRequest, right: Right) -> Standpoint:
    """Returns the standpoint of a person who may do this. Raises NotFoundError for anybody else.

    The operation asks again, under the write lock. Here it decides whether there is such a page.
    """
    found = standpoint(request)
    if not found.member.may(right):
        raise NotFoundError("your role has no such page")
    return found
