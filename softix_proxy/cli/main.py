"""Defines the entry point with its global options. Commands are imported only when they are used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from softix_proxy import __version__
from softix_proxy.cli.console.console import CONFIG, DATA_DIR, Group, Invocation

COMMANDS = {
    "quickstart": "Create and serve an instance with a demo model and a key.",
    "init": "Create the data directory, the master key and the database.",
    "serve": "Run the proxy.",
    "portal": "Run the portal, where people sign in, on its own.",
    "backup": "Make a backup of the database while it is in use.",
    "restore": "Replace the database by a backup.",
    "drill": "Test whether a backup can be restored.",
    "migrate": "Update the database of an older softix, after a backup.",
    "doctor": "Check the instance, and suggest remedies.",
    "users": "Create, change and disable users.",
    "accounts": "Create, change and disable accounts of people.",
    "factors": "Show and remove second factors of accounts.",
    "oidc": "Set up sign-in at an OpenID provider.",
    "keys": "Issue, limit, rotate and revoke API keys.",
    "templates": "Set the limits that new keys and users get.",
    "roles": "Show the roles, and what each may do.",
    "tokens": "Issue and revoke admin tokens.",
    "abuse": "Show what looks like abuse, and tune the rules.",
    "audit": "Show who did what, and verify the record of it.",
    "addresses": "Show from where keys are used, and remove it.",
    "apply": "Make the instance as a file describes it.",
    "objects": "List what is kept at providers, and share it.",
    "organisations": "Show and change who shares a balance and keys.",
    "projects": "Create and change an organisation's projects.",
    "budgets": "Set what projects and members may spend.",
    "balance": "Show and change prepaid balances.",
    "payments": "Set up, list and refund payments by Stripe.",
    "providers": "Add, test and change providers and their keys.",
    "models": "Add, list and change the models that clients can use.",
    "routes": "Set up names that stand for several models.",
    "batches": "List and settle batches at providers.",
    "bounds": "Show requests that cost more than was held for them.",
    "prices": "Set, import and approve prices and mark-ups.",
    "top": "Show what happens now, refreshed each second.",
    "usage": "List, explain, correct and export usage.",
    "period": "Close months, and list closed ones.",
    "export": "Verify exported files.",
    "reconcile": "Compare a provider's bill with the books.",
    "bill": "Issue invoices, statements, credit notes and receipts.",
    "ledger": "Show and verify the ledger.",
    "mail": "Test the way of messages, and list those that wait.",
    "webhooks": "Set up signed webhooks, and replay events.",
    "secrets": "Show and rotate the master key.",
    "connect": "Set up a client: Claude Code, Codex and others.",
    "config": "Show and check the configuration.",
    "completion": "Print the script for shell completion.",
}
"""Command → its help. Each command is an attribute with the same name, in the module that `_MODULES` names."""
_MODULES = {
    "abuse": ("abuse",),
    "access": ("users", "keys", "templates", "roles", "tokens", "objects"),
    "accounts": ("accounts", "factors", "oidc", "audit"),
    "billing": ("bill",),
    "bulk": ("apply",),
    "catalog": ("providers", "models"),
    "console": ("completion",),
    "instance": (
        *("quickstart", "init", "serve", "portal", "migrate", "doctor", "secrets", "connect", "config"),
        *("backup", "restore", "drill"),
    ),
    "ledger": ("balance", "ledger", "payments", "periods"),
    "metering": ("batches", "bounds", "budgets", "top", "usage"),
    "notices": ("outbox", "webhooks"),
    "organisations": ("organisations", "projects"),
    "pricing": ("prices",),
    "privacy": ("technical_data",),
    "reporting": ("manifests", "reconcile"),
    "routing": ("routes",),
}
"""Folder → its modules that have a command."""
_RENAMED = {"addresses": "technical_data", "period": "periods", "export": "manifests", "mail": "outbox"}
"""Command → its module, if the names differ."""
_FOLDER_OF = {module: folder for folder, modules in _MODULES.items() for module in modules}


class LazyGroup(Group):
    """A group that knows its commands by name and imports only the requested one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = _RENAMED.get(cmd_name, cmd_name)
        module = import_module(f"softix_proxy.cli.{_FOLDER_OF[name]}.{name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=CONFIG, help="The TOML configuration file.")
@click.option("--data-dir", type=DATA_DIR, help="The folder of this instance: configuration, database, master key.")
@click.option("--as", "as_token", metavar="TOKEN", help="Act by an admin token. Better put it into SOFTIX_TOKEN.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output, and nothing else there.")
@click.version_option(__version__, prog_name="softix")
@click.pass_context
def main(ctx: click.Context, config: Path | None, data_dir: Path | None, as_token: str | None, as_json: bool) -> None:
    """Run and manage softix, a metered, prepaid proxy for AI providers. Example: softix quickstart"""
    ctx.obj = Invocation(config, data_dir, as_json, as_token)
