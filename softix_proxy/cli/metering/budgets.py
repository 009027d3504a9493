"""The commands of `softix budgets`, which limit what projects and members spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.metering.limit_options import terms_options
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS, BudgetPeriod
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.operations.metering import budgets as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("id", "name", "project", "member", "period", "amount", "spent", "held", "left", "percent", "ends_at"),
    leave=("project", "member", "held", "ends_at", "percent", "id"),
)


@click.group(cls=Group)
def budgets() -> None:
    """Set what a project or a member may spend. Example: softix budgets set acme 200.00 --project bot --period month"""


@budgets.command("set")
@click.argument("organisation")
@click.argument("amount")
@click.option("--project", help="The project that is limited: an id or a name.")
@click.option("--member", help="The member who is limited: an id or e-mail of the account.")
@click.option("--period", type=click.Choice(BUDGET_PERIODS), required=True, help="The period of the budget.")
@terms_options
@instance
async def set_(
    instance: Instance,
    organisation: str,
    amount: str,
    project: str | None,
    member: str | None,
    period: BudgetPeriod,
    **terms: str | None,
) -> None:
    """Set what a project or a member may spend in each period, in US dollars. It applies from the next request on.

    What was spent in the present period before counts. The word `none` removes a zone, a reset day, alerts or a raise.
    Example: softix budgets set acme 200.00 --project bot --period month --zone Europe/Berlin --reset-day 15
    """
    standing = await operations.set_to(
        instance.storage,
        organisation,
        parse_usd(amount),
        period,
        OPERATOR,
        project=project,
        member=member,
        terms=AskedTerms(**terms),
    )
    show(operations.as_fields(standing))


@budgets.command("list")
@click.argument("organisation")
@instance
async def list_(instance: Instance, organisation: str) -> None:
    """List an organisation's budgets, and what is left of each. Example: softix budgets list acme --json"""
    found = await operations.list_all(instance.storage, organisation, OPERATOR)
    show_all([operations.as_fields(each) for each in found], _LIST)


@budgets.command()
@click.argument("organisation")
@click.argument("budget")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove(instance: Instance, organisation: str, budget: str, yes: bool) -> None:
    """Remove a budget, so that nothing but the balance limits its keys.

    Example: softix budgets remove acme bud_0123456789abcdef --yes
    """
    confirm(f"Remove the budget {budget} of {organisation}?", yes)
    removed = await operations.remove(instance.storage, organisation, budget, OPERATOR)
    show(operations.as_fields(removed), "Removed.")


@budgets.command()
@click.argument("organisation")
@instance
async def recount(instance: Instance, organisation: str) -> None:
    """Calculate again what each budget has spent, for example after the clock was wrong.

    Example: softix budgets recount acme
    """
    counted = await operations.recount(instance.storage, organisation)
    show_all([operations.as_fields(each) for each in counted], _LIST)
