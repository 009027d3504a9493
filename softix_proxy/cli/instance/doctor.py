"""The command `softix doctor`, which checks the instance and names remedies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, echo, echo_json, echo_marked, invocation, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.doctor import checkup
from softix_proxy.doctor.findings import Finding, Severity
from softix_proxy.domain.core.display import visible

if TYPE_CHECKING:
    from softix_proxy.settings import Settings

_FINDINGS = TableLayout(("severity", "check", "message", "remedy"), prose=("message", "remedy"))
_MARKS = {Severity.OK: ("✓", "green"), Severity.WARNING: ("!", "yellow"), Severity.ERROR: ("✗", "red")}


def as_fields(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "message": finding.message,
        "remedy": finding.remedy or None,
    }


@click.command(cls=Command)
@click.option("--offline", is_flag=True, help="Send nothing to providers.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(checkup.CHECKS)),
    help="Only run this check. Repeat it for more checks.",
)
def doctor(offline: bool, only: tuple[str, ...]) -> None:
    """Check the instance, and suggest a remedy for each finding. It changes nothing.

    You can run it while softix serves. The exit code is 1 if anything is broken.
    Example: softix doctor --only database --only ledger
    """
    findings = asyncio.run(_examine(invocation().settings(), only, offline))
    well = checkup.is_well(findings)
    if invocation().as_json:
        echo_json({"ok": well, "findings": [as_fields(item) for item in findings]})
    elif sys.stdout.isatty():
        _print(findings)
    else:
        show_all([as_fields(item) for item in findings], _FINDINGS)
    if not well:
        raise SystemExit(1)


async def _examine(settings: Settings, only: Sequence[str], offline: bool) -> Sequence[Finding]:
    from softix_proxy import assembly

    async with assembly.open_check_context(settings, offline=offline) as context:
        return await checkup.run(context, only)


def _print(findings: Sequence[Finding]) -> None:
    """Prints the findings for a person at a terminal. Lines are not folded, so that remedies can be copied."""
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS[finding.severity]
        echo_marked(mark, colour, f"{finding.check:<{width}}  {finding.message}")
        if finding.remedy:
            echo(f"{'':{width + 4}}→ {visible(finding.remedy)}")
