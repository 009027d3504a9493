"""The command `softix providers test`, which tests what works at a provider."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.errors import clipped

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.operations.catalog.provider_check import CheckResult

_CHECKS = TableLayout(("check", "works", "latency_ms", "detail"), leave=("latency_ms",), prose=("detail",))
_MARKS = {True: "✓", False: "✗", None: "–"}


@click.command(cls=Command)
@click.argument("name")
@click.option("--model", metavar="M", help="The model to test with.  [default: the cheapest one that it lists]")
@click.option("--write", is_flag=True, help="Leave out from now on the fields that the provider refuses.")
@instance
async def test(instance: Instance, name: str, model: str | None, write: bool) -> None:
    """Test what works at a provider.

    It checks the list of models, plain answers, streams, tools, usage and fields, with one small request for each.
    These requests are not in the books: the provider bills the operator for a few hundred tokens. Nothing of the
    answers is stored. With --write, softix stops sending the fields that the provider refuses. It also corrects the
    base URL if the list of models is at an address without the version. The exit code is 1 if not even plain answers
    work.
    Example: softix providers test openai
    """
    from softix_proxy import assembly
    from softix_proxy.operations.catalog import provider_check, provider_probe, providers
    from softix_proxy.upstream.probe import fetch

    say(f"Asking {clipped(name)} for a few tokens, at the operator's cost.")
    vault = await instance.vault()
    trusting = partial(fetch, ca_file=instance.settings.upstream.ca_file)
    if write:
        await provider_probe.settle(instance.storage, vault, name, trusting, is_settled=False)
    async with assembly.reaching(instance, vault) as upstream:
        trial = await provider_check.run(instance.storage, vault, upstream, trusting, name, model)
    written = bool(write and trial.refused_fields)
    if written:
        await providers.update(instance.storage, vault, name, drop_fields=trial.refused_fields)
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
