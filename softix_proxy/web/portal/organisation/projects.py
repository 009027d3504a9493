"""The pages of an organisation's projects and their budgets."""

from __future__ import annotations

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.errors import BadInputError, ConflictError, OperatorError
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import key_owners, projects
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.organisation import budget_form
from softix_proxy.web.portal.organisation.scope import require

_SAVED = "flash.saved"


async def list_projects(request: PageRequest) -> Answer:
    return await _list_page(request, require(request, Permission.PROJECTS_READ))


async def create_project(request: PageRequest) -> Answer:
    scope = require(request, Permission.PROJECTS_WRITE)
    try:
        made = await projects.create(
            request.storage, scope.organisation.public_id, request.form.get("name", ""), scope.membership
        )
    except (BadInputError, ConflictError) as error:
        return await _list_page(request, scope, error)
    return SeeOther(f"/projects/{made.public_id}", _SAVED)


async def show_project(request: PageRequest) -> Answer:
    return await _project_page(request, require(request, Permission.PROJECTS_READ))


async def rename_project(request: PageRequest) -> Answer:
    scope, project = require(request, Permission.PROJECTS_WRITE), request.parts["project"]
    try:
        await projects.rename(
            request.storage, scope.organisation.public_id, project, request.form.get("name", ""), scope.membership
        )
    except (BadInputError, ConflictError) as error:
        return await _project_page(request, scope, error)
    return SeeOther(f"/projects/{project}", _SAVED)


async def archive_project(request: PageRequest) -> Answer:
    scope = require(request, Permission.PROJECTS_WRITE)
    try:
        await projects.archive(
            request.storage, scope.organisation.public_id, request.parts["project"], scope.membership
        )
    except ConflictError as error:
        return await _project_page(request, scope, error)
    return SeeOther("/projects", _SAVED)


async def assign_key(request: PageRequest) -> Answer:
    """Gives a key to the project, by its id, or takes it out of this project."""
    scope, project = require(request, Permission.KEYS_WRITE), request.parts["project"]
    organisation, key = scope.organisation.public_id, request.form.get("key", "")
    try:
        if request.form.get("out") == "yes":
            await key_owners.take_out(request.storage, organisation, key, scope.membership, project=project)
        else:
            await key_owners.assign(request.storage, organisation, key, scope.membership, project=project)
    except ConflictError as error:
        return await _project_page(request, scope, error)
    return SeeOther(f"/projects/{project}", _SAVED)


async def set_budget(request: PageRequest) -> Answer:
    scope, project = require(request, Permission.BUDGETS_WRITE), request.parts["project"]
    try:
        asked = budget_form.read(request.form)
        await budgets.set_to(
            request.storage,
            scope.organisation.public_id,
            asked.amount_pico,
            asked.period,
            scope.membership,
            project=project,
            terms=asked.terms,
        )
    except (BadInputError, ConflictError) as error:
        return await _project_page(request, scope, error)
    return SeeOther(f"/projects/{project}", _SAVED)


async def remove_budget(request: PageRequest) -> Answer:
    """Removes a budget of a project or of a member."""
    scope = require(request, Permission.BUDGETS_WRITE)
    removed = await budgets.remove(
        request.storage, scope.organisation.public_id, request.parts["budget"], scope.membership
    )
    if removed.project is not None:
        return SeeOther(f"/projects/{removed.project.public_id}", _SAVED)
    return SeeOther("/members" if removed.account is None else f"/members/{removed.account.public_id}", _SAVED)


async def _list_page(request: PageRequest, scope: OrganisationScope, error: OperatorError | None = None) -> Page:
    found = await projects.list_all(request.storage, scope.organisation.public_id, scope.membership)
    standings = await budgets.list_all(request.storage, scope.organisation.public_id, scope.membership)
    shows_all = request.query.get("all") == "1"
    values = {
        "projects": [each for each in found if shows_all or each.project.archived_at_us is None],
        "budgets": standings,
        "archived_count": sum(each.project.archived_at_us is not None for each in found),
        "shows_all": shows_all,
        "may_manage": scope.membership.may(Permission.PROJECTS_WRITE),
        "name": request.form.get("name", ""),
        "problem": sentence(error),
    }
    return Page("projects", values, status_of(error))


async def _project_page(request: PageRequest, scope: OrganisationScope, error: OperatorError | None = None) -> Page:
    found = await projects.show(
        request.storage, scope.organisation.public_id, request.parts["project"], scope.membership
    )
    standings = await budgets.list_all(request.storage, scope.organisation.public_id, scope.membership)
    values = {
        "standing": found,
        "budgets": [each for each in standings if each.budget.project_id == found.project.id],
        "other_keys": await key_owners.elsewhere(
            request.storage, scope.organisation.public_id, found.project.public_id, scope.membership
        ),
        "may_manage": scope.membership.may(Permission.PROJECTS_WRITE) and found.project.archived_at_us is None,
        "form": budget_form.shown(request.form),
        "periods": BUDGET_PERIODS,
        "problem": sentence(error),
    }
    return Page("project", values, status_of(error))
