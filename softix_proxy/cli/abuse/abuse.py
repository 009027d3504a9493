"""The commands of `softix abuse`, which show what the rules noticed, and tune them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import COUNT, Group, choice_of, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.abuse import abuse as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_RULES = TableLayout(("rule", "enabled", "action", "thresholds", "notices"), leave=("thresholds",), prose=("notices",))
_ALERTS = TableLayout(
    ("id", "rule", "subject", "text", "first_at", "last_at", "acknowledged_at"),
    leave=("last_at", "acknowledged_at", "first_at", "subject"),
    prose=("text",),
)


@click.group(cls=Group)
def abuse() -> None:
    """Show what the rules against abuse noticed, take note of it, and tune the rules.

    Example: softix abuse list --open
    """


@abuse.command()
@click.option("--key", help="The rules as they are tuned for this key: an id, prefix or name.")
@instance
async def rules(instance: Instance, key: str | None) -> None:
    """List the rules with their thresholds and actions. Example: softix abuse rules --json"""
    show_all([operations.rule_fields(each) for each in await operations.rules(instance.storage, key)], _RULES)


@abuse.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only alerts of which nobody took note.")
@click.option("--before", metavar="ALERT", help="Only alerts before this one.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most alerts, the newest first.")
@instance
async def list_(instance: Instance, only_open: bool, before: str | None, limit: int) -> None:
    """List alerts, the newest first. Example: softix abuse list --open"""
    found = await operations.list_all(instance.storage, limit=limit, only_open=only_open, before=before)
    show_all([operations.alert_fields(each) for each in found], _ALERTS)


@abuse.command("show")
@click.argument("alert")
@instance
async def show_(instance: Instance, alert: str) -> None:
    """Show an alert with its figures, and what was done. Example: softix abuse show abu_0123456789abcdef"""
    show(operations.details_fields(await operations.show(instance.storage, alert)))


@abuse.command()
@click.argument("alert")
@instance
async def ack(instance: Instance, alert: str) -> None:
    """Acknowledge an alert. What was done about it stays. Example: softix abuse ack abu_0123456789abcdef"""
    show(operations.alert_fields(await operations.acknowledge(instance.storage, alert)))


@abuse.command()
@click.argument("alert")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def undo(instance: Instance, alert: str, yes: bool) -> None:
    """Undo what was done about an alert: a suspended key works again.

    Example: softix abuse undo abu_0123456789abcdef --yes
    """
    confirm(f"Undo what was done about {alert}?", yes)
    show(operations.details_fields(await operations.undo(instance.storage, alert)))


@abuse.command()
@click.argument("rule")
@click.option("--key", help="Tune the rule for this key alone: an id, prefix or name.  [default: every key]")
@click.option("--enable/--disable", "enabled", default=None, help="Switch the rule on or off.")
@click.option("--action", type=choice_of(AbuseAction), help="What is done when the rule notices something.")
@click.option("--threshold", "thresholds", metavar="NAME=NUMBER", multiple=True, help="A threshold. Repeat it.")
@click.option("--reset", is_flag=True, help="Forget first what was tuned before.")
@instance
async def tune(
    instance: Instance,
    rule: str,
    key: str | None,
    enabled: bool | None,
    action: str | None,
    thresholds: tuple[str, ...],
    reset: bool,
) -> None:
    """Tune a rule for every key or for one. Example: softix abuse tune spend --key ci-key --threshold factor=20"""
    tuned = await operations.tune(
        instance.storage,
        rule,
        key=key,
        enabled=enabled,
        action=None if action is None else AbuseAction(action),
        thresholds=_parse_thresholds(thresholds),
        reset=reset,
    )
    show(operations.rule_fields(tuned))


def _parse_thresholds(given: tuple[str, ...]) -> dict[str, int]:
    parsed = {}
    for text in given:
        name, _, value = text.partition("=")
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise BadInputError(f"not a threshold: {text!r}", "write for example factor=20; see: softix abuse rules")
        parsed[name.strip()] = int(value)
    return parsed
