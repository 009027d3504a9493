"""softix providers test: what of a provider works."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Command, clipped, invocation, office, say, show, show_all
from softix_proxy.cli.tables import TableLayout

if TYPE_CHECKING:
    from softix_proxy.assembly import Office
    from softix_proxy.operations.trials import CheckResult

_CHECKS = TableLayout(("check", "works", "latency_ms", "detail"), leave=("latency_ms",), prose=("detail",))
_MARKS = {True: "✓", False: "✗", None: "–"}


@click.command(cls=Command)
@click.argument("name")
@click.option("--model", metavar="M", help="By which of its models; else the cheapest that it lists.")
@click.option("--write", is_flag=True, help="Have left out from now on what it turns out not to take.")
@office
async def test(office: Office, name: str, model: str | None, write: bool) -> None:
    """See what of a provider works: its list of models, plain answers, streams, tools, usage, fields.

    One small request for each, past the books: the provider bills the operator a few hundred tokens. Nothing of the
    answers is kept. With --write the fields that it refuses are left out of what it is sent from then on, and the base
    URL is corrected where the list of models stands without the version. Exit code 1 where not even plain answers work.
    Example: softix providers test openai
    """
    from softix_proxy import assembly
    from softix_proxy.operations import probes, providers, trials
    from softix_proxy.upstream.probe import fetch

    say(f"Asking {clipped(name)} for a few tokens, at the operator's cost.")
    vault = await office.vault()
    trusting = partial(fetch, ca_file=office.settings.upstream.ca_file)
    if write:
        await probes.settle(office.storage, vault, name, trusting, is_settled=False)
    async with assembly.reaching(office, vault) as upstream:
        trial = await trials.run(office.storage, vault, upstream, trusting, name, model)
    written = bool(write and trial.refused_fields)
    if written:
        await providers.update(office.storage, vault, name, drop_fields=trial.refused_fields)
    remedy = "" if written else trial.remedy
    fields = {
        "name": name,
        "model": trial.model,
        "ok": trial.ok,
        "remedy": remedy or None,
        "refused_fields": list(trial.refused_fields),
        "written": written,
    }
    if invocation().as_json:
        show({**fields, "checks": [_as_fields(check) for check in trial.checks]})
    else:
        rows = [{**_as_fields(check), "works": _MARKS[check.ok]} for check in trial.checks]
        show_all(rows, _CHECKS)
        if written:
            say(f"Written: {name} is not sent {', '.join(trial.refused_fields)} any more.")
        elif remedy:
            say(f"  → {remedy}")
    if not trial.ok:
        raise SystemExit(1)


def _as_fields(check: CheckResult) -> dict[str, Any]:
    return {"check": check.what, "ok": check.ok, "latency_ms": check.latency_ms, "detail": check.detail}
