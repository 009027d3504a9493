"""Messages of the real daemon to a real mail server, over `kill -9` of the sender."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.daemon import Instance, Prepared, prepared
from support.mail_server import HANGS, MailServer, mail_server
from support.members import join

from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.notices import outbox

URL = "https://portal.example.org"
TOKEN = "/reset?token="


def variables(server: MailServer, **more: str) -> Mapping[str, str]:
    return {
        "SOFTIX_PORTAL_PUBLIC_URL": URL,
        "SOFTIX_MAIL_TRANSPORT": "smtp",
        "SOFTIX_MAIL_HOST": "127.0.0.1",
        "SOFTIX_MAIL_PORT": str(server.port),
        "SOFTIX_MAIL_SECURITY": "none",
        "SOFTIX_MAIL_FROM_ADDRESS": "softix@example.org",
        "SOFTIX_LOG_LEVEL": "debug",
        **more,
    }


@pytest.fixture
async def lab(tmp_path: Path) -> Prepared:
    return await prepared(tmp_path, "http://127.0.0.1:9")


async def ask(instance: Instance, email: str = "ada@example.org") -> str:
    """Adds a message with a token, as the portal does. Returns the token."""
    token = secrets.token_urlsafe(24)
    async with instance.opened() as opened, opened.storage.writing() as unit:
        notice = Notice(NoticeKind.RESET_PASSWORD, email, links={ACTION: f"{TOKEN}{token}"})
        assert await outbox.enqueue(unit, await opened.vault(), notice)
    return token


async def end_leases(instance: Instance) -> None:
    """Lets time pass until the claims of a dead process end."""
    async with instance.opened() as opened:
        connection = opened.database.connect()
        connection.execute("UPDATE outbox SET next_at_us = 1 WHERE state = 'waiting'")
        connection.close()


async def states(instance: Instance) -> dict[str, str]:
    async with instance.opened() as opened:
        return {each.public_id: each.state.value for each in await outbox.list_all(opened.storage, limit=100)}


async def errors(instance: Instance) -> list[str]:
    async with instance.opened() as opened:
        return [each.error for each in await outbox.list_all(opened.storage, limit=100) if each.error]


async def until_sent(instance: Instance) -> None:
    async with asyncio.timeout(20):
        while {*(await states(instance)).values()} != {"sent"}:
            await asyncio.sleep(0.01)


async def test_daemon_sends_what_another_process_added_and_keeps_neither_token_nor_address_in_its_log(
    lab: Prepared,
) -> None:
    instance = lab.instance
    async with mail_server() as server, instance.serving(**variables(server)):
        token = await ask(instance)
        [received] = await server.wait_for(1)
        await until_sent(instance)
        assert received.recipients == ("ada@example.org",)
        assert f"{URL}{TOKEN}{token}" in received.part("plain") and f"{URL}{TOKEN}{token}" in received.part("html")
    for file in filter(Path.is_file, instance.data_dir.rglob("*")):
        assert token.encode() not in file.read_bytes(), file.name
    assert token not in instance.log_text() and "ada@" not in instance.log_text()


async def test_link_in_a_message_has_the_public_url_whatever_host_a_request_names(lab: Prepared) -> None:
    """No request is read for a link: the message is made by a job that sees none. The daemon gets one all the same."""
    instance = lab.instance
    async with mail_server() as server, instance.serving(**variables(server)):
        host, port = instance.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n")
        await reader.readline()
        writer.close()
        await ask(instance)
        [received] = await server.wait_for(1)
        assert URL in received.part("plain") and b"evil" not in received.raw


async def test_message_of_a_sender_that_was_killed_before_the_server_had_it_arrives_once(lab: Prepared) -> None:
    instance = lab.instance
    async with mail_server(to_data=[HANGS]) as server:
        async with instance.serving(**variables(server)):
            await ask(instance)
            async with asyncio.timeout(20):
                while server.to_data:
                    await asyncio.sleep(0.01)
            await instance.kill()
        assert server.received == []
        await end_leases(instance)
        async with instance.serving(**variables(server)):
            await server.wait_for(1)
            await until_sent(instance)
        assert len(server.received) == 1


async def test_message_of_a_sender_that_was_killed_after_the_server_had_it_may_come_twice_with_one_id(
    lab: Prepared,
) -> None:
    """The server has the message, and the sender dies before it can note that: SMTP cannot tell them apart."""
    instance = lab.instance
    async with mail_server() as server:
        answers = server.handle_DATA

        async def kills(*arguments: object) -> str:
            answer = await answers(*arguments)  # type: ignore[arg-type] # as aiosmtpd calls it
            if len(server.received) == 1:
                await instance.kill()
            return answer

        server.handle_DATA = kills  # type: ignore[method-assign, assignment] # what this server does with its data
        async with instance.serving(**variables(server)):
            await ask(instance)
            await server.wait_for(1)
            await instance.wait()
        assert {*(await states(instance)).values()} == {"waiting"}
        await end_leases(instance)
        async with instance.serving(**variables(server)):
            await server.wait_for(2)
            await until_sent(instance)
        first, second = server.received
        assert first.message["Message-ID"] == second.message["Message-ID"] and first.recipients == second.recipients


async def test_message_after_a_temporary_refusal_arrives_once(lab: Prepared) -> None:
    instance = lab.instance
    async with mail_server(to_data=["451 4.3.0 later for ada@example.org"]) as server:
        async with instance.serving(**variables(server)):
            await ask(instance)
            async with asyncio.timeout(20):
                while server.to_data or not await errors(instance):
                    await asyncio.sleep(0.01)
            await end_leases(instance)
            await server.wait_for(1)
            await until_sent(instance)
        lines = [json.loads(line) for line in instance.log_text().splitlines() if '"notice"' in line]
        assert [line["error"] for line in lines] == ["temporary"] and "ada@" not in instance.log_text()


async def test_messages_before_two_daemons_arrive_once_each(lab: Prepared, tmp_path: Path) -> None:
    instance = lab.instance
    other = Instance(instance.folder)
    other.log = tmp_path / "other.log"
    async with mail_server() as server:
        for number in range(12):
            await ask(instance, f"ada{number}@example.org")
        async with instance.serving(**variables(server)), other.serving(**variables(server)):
            await server.wait_for(12)
            await until_sent(instance)
        assert sorted(each.recipients for each in server.received) == sorted(
            (f"ada{number}@example.org",) for number in range(12)
        )


async def test_key_that_is_made_and_revoked_by_commands_is_told_to_the_members(lab: Prepared) -> None:
    instance = lab.instance
    async with instance.opened() as opened:
        user = await users.find(opened.storage.reading(), lab.user_id)
        await join(opened.storage, user.id, "ada")
    async with mail_server() as server, instance.serving(**variables(server)):
        made = await asyncio.to_thread(instance.cli, "keys", "create", "--user", lab.user_id, "--name", "ci-2")
        await asyncio.to_thread(instance.cli, "keys", "revoke", "--yes", made["id"])
        created, revoked = await server.wait_for(2)
        assert [created.message["Subject"], revoked.message["Subject"]] == [
            "A new API key was made",
            "An API key was revoked",
        ]
        assert "ci-2 (sx_live_" in created.part("plain") and made["key"] not in created.part("plain")
