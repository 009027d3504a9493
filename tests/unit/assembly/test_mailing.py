from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from support.mail_server import mail_server
from support.process import environment

from softix_proxy import assembly
from softix_proxy.assembly import mailing
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState
from softix_proxy.operations.notices import mail_password, outbox
from softix_proxy.settings import Settings

PORTAL = PortalSection(enabled=True, public_url="https://portal.example.org")
RESET = Notice(NoticeKind.RESET_PASSWORD, "ada@example.org", links={ACTION: "/reset?token=abc"})


@pytest.mark.parametrize(
    ("mail", "portal", "wanted"),
    [
        (MailSection(), PortalSection(), False),
        (MailSection(), PORTAL, True),
        (MailSection(transport="smtp", host="x", from_address="softix@example.org"), PortalSection(), True),
        (MailSection(transport="off"), PortalSection(), False),
    ],
)
def test_daemon_sends_messages_with_the_portal_or_a_mail_server_only(
    ready: Settings, mail: MailSection, portal: PortalSection, wanted: bool
) -> None:
    assert mailing.is_wanted(replace(ready, mail=mail, portal=portal)) is wanted


def test_public_url_with_a_slash_at_its_end_makes_the_same_links(ready: Settings) -> None:
    with_slash = replace(ready, portal=replace(PORTAL, public_url=f"{PORTAL.public_url}/"))
    told, same = (
        mailing.mail_templates(one).preview(RESET, RESET.links) for one in (with_slash, replace(ready, portal=PORTAL))
    )
    assert told == same and "https://portal.example.org/reset?token=abc" in told.text


async def test_message_into_a_folder_is_sent_while_the_block_runs(ready: Settings) -> None:
    settings = replace(ready, portal=PORTAL)
    async with assembly.open_instance(settings) as instance:
        vault = await instance.vault()
        async with instance.storage.writing() as unit:
            await outbox.enqueue(unit, vault, RESET)
        async with asyncio.timeout(20), mailing.sending(instance, vault):
            while not await outbox.list_all(instance.storage, state=NoticeState.SENT, limit=1):
                await asyncio.sleep(0)
    [file] = (ready.paths.data_dir / "mail").iterdir()
    message = message_from_bytes(file.read_bytes())
    assert (message["To"], message["From"]) == ("ada@example.org", "softix <softix@localhost>")
    assert b"https://portal.example.org/reset?token=3Dabc" in file.read_bytes()


async def test_message_to_a_mail_server_is_sent_with_the_sealed_password(ready: Settings) -> None:
    password = secrets.token_urlsafe(12)
    async with mail_server(password=("softix", password)) as server:
        section = MailSection(
            transport="smtp",
            host="127.0.0.1",
            port=server.port,
            security="none",
            user="softix",
            from_address="softix@example.org",
            from_name="Example AI",
            reply_to="help@example.org",
        )
        async with assembly.open_instance(replace(ready, mail=section, portal=PORTAL)) as instance:
            vault = await instance.vault()
            await mail_password.set_password(instance.storage, vault, section, password)
            async with instance.storage.writing() as unit:
                await outbox.enqueue(unit, vault, RESET)
            async with asyncio.timeout(20), mailing.sending(instance, vault):
                [received] = await server.wait_for(1)
        assert received.message["From"] == "Example AI <softix@example.org>"
        assert received.message["Reply-To"] == "help@example.org"
        assert [user for user, *_ in server.logins] == ["softix"]


async def test_message_is_given_up_and_kept_if_mail_is_off(ready: Settings) -> None:
    settings = replace(ready, mail=MailSection(transport="off"), portal=PORTAL)
    async with assembly.open_instance(settings) as instance:
        vault = await instance.vault()
        async with instance.storage.writing() as unit:
            await outbox.enqueue(unit, vault, RESET)
        async with asyncio.timeout(20), mailing.sending(instance, vault):
            while not (ended := await outbox.list_all(instance.storage, state=NoticeState.GIVEN_UP, limit=1)):
                await asyncio.sleep(0)
    assert ended[0].error == "off" and ended[0].sealed_links is not None


async def test_check_of_the_way_of_messages_asks_the_server(ready: Settings) -> None:
    async with mail_server() as server:
        section = MailSection(
            transport="smtp", host="127.0.0.1", port=server.port, security="none", from_address="softix@example.org"
        )
        async with assembly.open_check_context(replace(ready, mail=section), offline=False) as context:
            await context.mail.server()
            assert context.mail.broken_templates() == []
        assert (server.connections, server.received) == (1, [])


def test_daemon_without_portal_and_mail_server_imports_nothing_of_messages(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from dataclasses import replace\n"
        "from softix_proxy import assembly\n"
        "settings = assembly.read_settings(None, pathlib.Path(sys.argv[1]))\n"
        "settings = replace(settings, server=replace(settings.server, port=0))\n"
        "async def run():\n"
        "    await assembly.initialise(settings)\n"
        "    async with assembly.serving(settings) as daemon:\n"
        "        await daemon.stop(asyncio.Event())\n"
        "asyncio.run(run())\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "softix")],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = done.stdout.split()
    heads = ("softix_proxy.mail", "softix_proxy.jobs.outbox", "softix_proxy.operations.notices", "jinja2", "aiosmtplib")
    assert "softix_proxy.assembly.serving" in loaded
    assert [name for name in loaded if name.startswith(heads)] == []
