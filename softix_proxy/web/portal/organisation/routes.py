"""The routes for the pages about members, projects and invitations."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.organisation import invitations, members, projects

_PUBLIC, _SIGNED_IN, _RECENT = Access.PUBLIC, Access.SIGNED_IN, Access.RECENT
ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", "/members", members.list_members, _SIGNED_IN),
    PortalRoute("GET", "/members/invite", members.ask_invitation, _RECENT),
    PortalRoute("POST", "/members/invite", members.invite, _RECENT),
    PortalRoute("GET", "/members/leave", members.ask_leave, _SIGNED_IN),
    PortalRoute("POST", "/members/leave", members.leave, _SIGNED_IN),
    PortalRoute("GET", "/members/{account}", members.show_member, _RECENT),
    PortalRoute("POST", "/members/{account}/role", members.change_role, _RECENT),
    PortalRoute("POST", "/members/{account}/remove", members.remove_member, _RECENT),
    PortalRoute("POST", "/members/{account}/budget", members.set_budget, _SIGNED_IN),
    PortalRoute("POST", "/invitations/{invitation}/cancel", members.cancel_invitation, _SIGNED_IN),
    PortalRoute("GET", "/invitations/{token}", invitations.show_invitation, _PUBLIC),
    PortalRoute("POST", "/invitations/{token}", invitations.accept_invitation, _PUBLIC),
    PortalRoute("GET", "/projects", projects.list_projects, _SIGNED_IN),
    PortalRoute("POST", "/projects", projects.create_project, _SIGNED_IN),
    PortalRoute("GET", "/projects/{project}", projects.show_project, _SIGNED_IN),
    PortalRoute("POST", "/projects/{project}/name", projects.rename_project, _SIGNED_IN),
    PortalRoute("POST", "/projects/{project}/archive", projects.archive_project, _SIGNED_IN),
    PortalRoute("POST", "/projects/{project}/key", projects.assign_key, _SIGNED_IN),
    PortalRoute("POST", "/projects/{project}/budget", projects.set_budget, _SIGNED_IN),
    PortalRoute("POST", "/budgets/{budget}/remove", projects.remove_budget, _SIGNED_IN),
)
"""What gives or takes rights needs a recent proof of who it is. To stop something does not, so that it is quick."""
