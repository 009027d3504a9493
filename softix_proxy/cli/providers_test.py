"""softix providers test: what of a provider works."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Command, clipped, invocation, office, say, show, show_all
from softix_proxy.cli.tables import Table

if TYPE_CHECKING:
    from softix_proxy.assembly import Office
    from softix_proxy.operations.trials import Check

_CHECKS = Table(("check", "works", "latency_ms", "detail"), leave=("latency_ms",), prose=("detail",))
_MARKS = {True: "✓", False: "✗", None: "–"}


@click.command(cls=Command)
@click.argument("name")
@click.option("--model", metavar="M", help="By which of its models; else the cheapest that it lists.")
@office
async def test(office: Office, name: str, model: str | None) -> None:
    """See what of a provider works: its list of models, plain answers, streams, tools, usage.

    One small request for each, past the books: the provider bills the operator a few hundred tokens. Nothing of the
    answers is kept. Exit code 1 where not even plain answers work. Example: softix providers test openai
    """
    from softix_proxy import assembly
    from softix_proxy.operations import trials
    from softix_proxy.upstream.probe import fetch

    say(f"Asking {clipped(name)} for a few tokens, at the operator's cost.")
    vault = await office.vault()
    trusting = partial(fetch, ca_file=office.settings.upstream.ca_file)
    async with assembly.reaching(office, vault) as upstream:
        trial = await trials.run(office.storage, vault, upstream, trusting, name, model)
    fields = {"name": name, "model": trial.model, "ok": trial.ok, "remedy": trial.remedy or None}
    if invocation().as_json:
        show({**fields, "checks": [_as_fields(check) for check in trial.checks]})
    else:
        rows = [{**_as_fields(check), "works": _MARKS[check.ok]} for check in trial.checks]
        show_all(rows, _CHECKS)
        if trial.remedy:
            say(f"  → {trial.remedy}")
    if not trial.ok:
        raise SystemExit(1)


def _as_fields(check: Check) -> dict[str, Any]:
    return {"check": check.what, "ok": check.ok, "latency_ms": check.latency_ms, "detail": check.detail}
