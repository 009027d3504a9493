"""The options that select requests: by user, key and model, by status, or only those that failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_SUBJECTS = (
    click.option("--user", metavar="USER", help="Only requests of this user: id, name or e-mail."),
    click.option("--key", metavar="KEY", help="Only requests of this key."),
    click.option("--model", metavar="MODEL", help="Only requests of this model: `model` or `provider/model`."),
    click.option("--errors", "errors_only", is_flag=True, help="Only requests that failed."),
)
_STATUS = click.option(
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help="Only requests with this HTTP status, such as 429 or 5xx. It can be given several times.",
)
_TAG = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only requests with this tag, such as team=search. It can be given several times.",
)


def subject_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say whose requests, of which model, and whether only failed ones."""
    for option in reversed(_SUBJECTS):
        function = option(function)
    return function


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds these, the status and the tags. `operations.metering.usage.filter_of` takes their values."""
    return subject_options(_STATUS(_TAG(function)))
