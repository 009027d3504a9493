"""Gives a daemon the commands that its admin API offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softix_proxy.domain.ports.admin_commands import AdminCommands
    from softix_proxy.settings import Settings


def admin_commands(settings: Callable[[], Settings]) -> AdminCommands:
    """Returns the commands of this program. They are imported at the first call."""
    from softix_proxy.cli.admin_api.runner import CommandRunner

    return CommandRunner(settings)
