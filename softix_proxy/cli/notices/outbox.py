"""The commands of `softix mail`, which test the way of messages, and show and retry what waits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import COUNT, Group, choice_of, echo, instance, invocation, show, show_all
from softix_proxy.cli.console.key_source import KeySource, password_options
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.identity import checked_email
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.domain.ports.mail import DeliveryError
from softix_proxy.operations.notices import delivery_faults, facts, mail_password
from softix_proxy.operations.notices import outbox as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("id", "kind", "to", "state", "attempts", "error", "created_at"), leave=("created_at", "attempts", "error")
)
_KIND = choice_of(NoticeKind)
_STATE = choice_of(NoticeState)


@click.group(cls=Group)
def mail() -> None:
    """Test the way of messages to people, and show and retry those that wait.

    Example: softix mail test ada@example.org
    """


@mail.command()
@click.argument("address")
@instance
async def test(instance: Instance, address: str) -> None:
    """Test mail with a message to ADDRESS, which is sent now. Example: softix mail test ada@example.org"""
    from softix_proxy import assembly

    section, now_us = instance.settings.mail, instance.clock.now_us()
    sender = assembly.mail_sender(instance, await instance.vault())
    notice = Notice(NoticeKind.TEST, checked_email(address), {"when": facts.when(now_us)})
    public_id = new_public_id("msg")
    queued = QueuedNotice(0, public_id, notice, None, NoticeState.WAITING, 1, now_us, None, now_us, None)
    try:
        await sender.send(queued, {})
        await sender.rest()
    except DeliveryError as error:
        raise FailureError(*delivery_faults.explained(error.fault)) from None
    is_file = section.transport == "file"
    where = str(section.eml_folder(instance.settings.paths.data_dir)) if is_file else section.server
    fields = {"id": public_id, "to": address, "transport": section.transport, "where": where}
    show(fields, f"{where} has the message." if is_file else f"{where} took the message. See whether it arrives.")


@mail.command("list")
@click.option("--state", type=_STATE, help="Only list messages in this state.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most messages to list, the newest first.")
@instance
async def list_(instance: Instance, state: str | None, limit: int) -> None:
    """List messages that wait, were sent, or were given up. Example: softix mail list --state given-up"""
    wanted = None if state is None else NoticeState(state)
    found = await operations.list_all(instance.storage, state=wanted, limit=limit)
    show_all([operations.as_fields(queued) for queued in found], _LIST)


@mail.command()
@click.argument("message")
@instance
async def retry(instance: Instance, message: str) -> None:
    """Set a message that was given up to be sent again. MESSAGE is its id.

    Example: softix mail retry msg_0123456789abcdef
    """
    queued = await operations.retry(instance.storage, message)
    show(operations.as_fields(queued), f"{queued.public_id} waits to be sent again.")


@mail.command()
@click.argument("kind", type=_KIND)
@click.option("--html", is_flag=True, help="Print the HTML part.")
@instance
async def preview(instance: Instance, kind: str, html: bool) -> None:
    """Print a message of a kind with example values, as your templates make it. It sends nothing.

    Example: softix mail preview receipt --html
    """
    from softix_proxy import assembly
    from softix_proxy.mail.samples import EXAMPLE_URL, sample

    settings = instance.settings
    templates = assembly.mail_templates(settings, settings.portal.origin or EXAMPLE_URL)
    rendered = templates.preview(*sample(NoticeKind(kind)))
    if invocation().as_json:
        show({"kind": kind, "subject": rendered.subject, "text": rendered.text, "html": rendered.html})
    elif html:
        echo(rendered.html)
    else:
        echo(f"Subject: {rendered.subject}\n\n{rendered.text}")


@mail.command("set-password")
@password_options
@instance
async def set_password(
    instance: Instance, password_stdin: bool, password_env: str | None, password_file: Path | None
) -> None:
    """Set the password for the mail server. It is asked for, and never an argument.

    It is sealed for the server and the user of the settings. Example: softix mail set-password
    """
    section = instance.settings.mail
    source = KeySource(password_stdin, password_env, password_file, "password")
    password = source.read(f"{section.user} at {section.host}", ask=True)
    if password is None:
        raise BadInputError("there is no terminal to ask for the password", "pipe it in, with --password-stdin")
    await mail_password.set_password(instance.storage, await instance.vault(), section, password)
    fields = {"host": section.host, "port": section.usual_port, "user": section.user}
    show(fields, f"The password for {section.user} at {section.host} is set. Next: softix mail test ADDRESS")
