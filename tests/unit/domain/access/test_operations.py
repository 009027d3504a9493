"""Every command is an operation of the table, and so is every page of the portal."""

from __future__ import annotations

import click
import pytest

from softix_proxy.cli.main import main
from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.web.portal.admin.routes import PAGES
from softix_proxy.web.portal.core.page import Access
from softix_proxy.web.portal.route_table import ROUTES

OF_THE_MACHINE = {
    "completion": "It prints a script, and opens no database.",
    "config.check": "It reads the configuration, and opens no database.",
    "config.example": "It prints an example.",
    "config.show": "It reads the configuration, and opens no database.",
    "doctor": "It checks the files of the machine, and changes nothing but what a person agrees to.",
    "init": "It makes the database.",
    "restore": "It replaces the database, and its audit with it.",
    "migrate": "It makes the database's schema, before there is an audit of that schema.",
    "portal": "It serves.",
    "serve": "It serves.",
}
"""The commands that only a user of the operating system can run, and why none of them is an operation."""
OF_THE_PORTAL = {"account", "overview", "page"}
"""The nouns of pages that no command shows."""


def commands(command: click.Command, words: tuple[str, ...] = ()) -> list[str]:
    if not isinstance(command, click.Group):
        return [".".join(words)]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += commands(inner, (*words, name))
    return found


def test_every_command_is_an_operation_or_has_a_reason_not_to_be() -> None:
    names = set(commands(main))
    assert names - OPERATIONS.keys() == OF_THE_MACHINE.keys()


OF_THE_DAEMON = {"abuse.watch"}
"""What nobody asks for: a job of the daemon does it, and the audit names it so."""


def test_every_operation_is_a_command_or_a_page() -> None:
    pages = {route.operation for route in ROUTES} | {page.operation for page in PAGES}
    assert OPERATIONS.keys() - set(commands(main)) - pages == OF_THE_DAEMON


def test_every_page_is_an_operation() -> None:
    for route in ROUTES:
        assert route.operation in OPERATIONS, route.pattern


def test_form_of_operators_changes_something_and_a_page_that_only_shows_does_not() -> None:
    for page in PAGES:
        if page.method == "POST":
            assert OPERATIONS[page.operation].changes, page.pattern


def test_page_without_a_form_of_its_own_that_is_for_everybody_needs_no_permission() -> None:
    for route in ROUTES:
        if route.access is Access.PUBLIC:
            assert OPERATIONS[route.operation].permission is None, route.pattern


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_operation_that_changes_something_is_opened_by_no_permission_to_read(operation: object) -> None:
    changes, permission = operation.changes, operation.permission  # type: ignore[attr-defined] # a row of the table
    makes_its_key = operation.name in ("export.public-key", "audit.sign")  # type: ignore[attr-defined] # likewise
    if changes and not makes_its_key:
        assert permission is None or not permission.is_read
    if not changes:
        assert permission is None or permission.is_read


def test_what_needs_no_permission_is_about_oneself_or_about_nothing() -> None:
    free = {name.partition(".")[0] for name, operation in OPERATIONS.items() if operation.permission is None}
    assert free == OF_THE_PORTAL | {"abuse", "apply", "roles", "payments"}
    assert OPERATIONS["apply"].changes, "each part of it asks for the permission of its own command"
    assert OPERATIONS["payments.webhook"].permission is None and Permission.PAYMENTS_WRITE is not None
