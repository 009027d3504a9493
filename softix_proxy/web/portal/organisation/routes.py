"""The routes for the pages about members, projects and invitations."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.organisation import invitations, members, projects

_PUBLIC, _SIGNED_IN, _RECENT = Access.PUBLIC, Access.SIGNED_IN, Access.RECENT
ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", "/members", members.list_members, _SIGNED_IN, "organisations.members"),
    PortalRoute("GET", "/members/invite", members.ask_invitation, _RECENT, "organisations.members"),
    PortalRoute("POST", "/members/invite", members.invite, _RECENT, "organisations.invite"),
    PortalRoute("GET", "/members/leave", members.ask_leave, _SIGNED_IN, "organisations.members"),
    PortalRoute("POST", "/members/leave", members.leave, _SIGNED_IN, "organisations.leave"),
    PortalRoute("GET", "/members/{account}", members.show_member, _RECENT, "organisations.members"),
    PortalRoute("POST", "/members/{account}/role", members.change_role, _RECENT, "organisations.set-role"),
    PortalRoute("POST", "/members/{account}/remove", members.remove_member, _RECENT, "organisations.remove"),
    PortalRoute("POST", "/members/{account}/budget", members.set_budget, _SIGNED_IN, "budgets.set"),
    PortalRoute(
        "POST",
        "/invitations/{invitation}/cancel",
        members.cancel_invitation,
        _SIGNED_IN,
        "organisations.cancel-invitation",
    ),
    PortalRoute("GET", "/invitations/{token}", invitations.show_invitation, _PUBLIC, "account.accept-invitation"),
    PortalRoute("POST", "/invitations/{token}", invitations.accept_invitation, _PUBLIC, "account.accept-invitation"),
    PortalRoute("GET", "/projects", projects.list_projects, _SIGNED_IN, "projects.list"),
    PortalRoute("POST", "/projects", projects.create_project, _SIGNED_IN, "projects.create"),
    PortalRoute("GET", "/projects/{project}", projects.show_project, _SIGNED_IN, "projects.show"),
    PortalRoute("POST", "/projects/{project}/name", projects.rename_project, _SIGNED_IN, "projects.rename"),
    PortalRoute("POST", "/projects/{project}/archive", projects.archive_project, _SIGNED_IN, "projects.archive"),
    PortalRoute("POST", "/projects/{project}/key", projects.assign_key, _SIGNED_IN, "projects.assign"),
    PortalRoute("POST", "/projects/{project}/budget", projects.set_budget, _SIGNED_IN, "budgets.set"),
    PortalRoute("POST", "/budgets/{budget}/remove", projects.remove_budget, _SIGNED_IN, "budgets.remove"),
)
"""What gives or takes rights needs a recent proof of who it is. To stop something does not, so that it is quick."""
