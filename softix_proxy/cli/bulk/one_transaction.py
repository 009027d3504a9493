"""Runs commands as the parts of one transaction, each with the checks and the permission that it has alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.door import refusal
from softix_proxy.operations.access.unit_storage import UnitStorage

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.cli.admin_api.described import CommandTable
    from softix_proxy.domain.ports.storage import Unit


@dataclass(frozen=True, slots=True)
class OneTransaction:
    """The commands, within a transaction that somebody else ends."""

    commands: CommandTable
    instance: Instance
    """The instance that the whole was entered with."""
    unit: Unit

    async def call(self, name: str, values: Mapping[str, Any]) -> Any:
        """Runs a command, and returns what it prints.

        Raises OperatorError as the command does, and NotPermittedError without its permission.
        """
        operation = OPERATIONS[name]
        if not self.instance.principal.may(operation.permission):
            raise refusal(operation)
        within = replace(self.instance, storage=UnitStorage(self.unit, changes=operation.changes))
        try:
            return (await self.commands.call(name, values, within)).value
        except click.ClickException as error:
            raise BadInputError(error.format_message(), f"see: softix {name.replace('.', ' ')} --help") from None
