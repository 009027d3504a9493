"""softix doctor: is everything well, and if not, what to do."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from softix_proxy.cli.console import Command, invocation, show_all
from softix_proxy.doctor import checkup
from softix_proxy.doctor.findings import Finding, Severity

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
    "--only", multiple=True, type=click.Choice(list(checkup.CHECKS)), help="Do this check alone; may be repeated."
)
def doctor(offline: bool, only: tuple[str, ...]) -> None:
    """Check the instance, also while the proxy runs; nothing is changed. Exit code 1 if anything is broken.

    Example: softix doctor --only database --only ledger
    """
    from softix_proxy import assembly

    findings = asyncio.run(assembly.examine(invocation().settings(), only, offline=offline))
    well = checkup.is_well(findings)
    if invocation().as_json:
        click.echo(json.dumps({"ok": well, "findings": [as_fields(item) for item in findings]}, ensure_ascii=False))
    elif sys.stdout.isatty():
        _print(findings)
    else:
        show_all([as_fields(item) for item in findings], ("severity", "check", "message", "remedy"))
    if not well:
        raise SystemExit(1)


def _print(findings: Sequence[Finding]) -> None:
    """For a person at a terminal: a mark, the check, and below what was found its remedy."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        mark, colour = _MARKS[finding.severity]
        message = Text(finding.message)
        if finding.remedy:
            message.append(f"\n→ {finding.remedy}", style="bold")
        table.add_row(Text(mark, style=colour), finding.check, message)
    Console().print(table)
