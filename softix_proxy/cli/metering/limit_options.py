"""The options of limits in money that budgets, caps of keys and caps of users have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_Function = Callable[..., Any]


def terms_options(function: _Function) -> _Function:
    options = (
        click.option("--zone", metavar="ZONE", help="The time zone in which its periods begin, such as Europe/Berlin."),
        click.option(
            "--reset-day", metavar="DAY", help="The day on which a month (1 to 31) or a week (monday) begins."
        ),
        click.option("--alert", "alerts", metavar="LIST", help="The percents at which people are told: 50,80,100."),
        click.option("--until", metavar="DATE", help="Raise the amount only until then. Afterwards the old one holds."),
    )
    for option in reversed(options):
        function = option(function)
    return function
