"""Events of the real daemon to a real receiver, over `kill -9` of the sender and with two of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Instance, Prepared, prepared
from support.webhook_receiver import HANGS, WebhookReceiver, webhook_receiver

from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.notices import webhook_events

UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
async def lab(tmp_path: Path) -> Prepared:
    return await prepared(tmp_path, UNREACHABLE)


async def add(instance: Instance, receiver: WebhookReceiver, *options: str) -> Mapping[str, Any]:
    """Adds the receiver as an endpoint. Returns what the command shows."""
    made = await asyncio.to_thread(instance.cli, "webhooks", "add", receiver.url, "--allow-private", *options)
    return dict(made)


async def enqueue(instance: Instance, count: int = 1) -> None:
    async with instance.opened() as opened, opened.storage.writing() as unit:
        for number in range(count):
            assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {"rows": number})


async def end_leases(instance: Instance) -> None:
    """Lets time pass until the claims of a dead process end."""
    async with instance.opened() as opened:
        connection = opened.database.connect()
        connection.execute("UPDATE webhook_deliveries SET next_at_us = 1 WHERE state = 'waiting'")
        connection.close()


async def until_delivered(instance: Instance) -> None:
    """Returns when nothing waits."""
    async with instance.opened() as opened, asyncio.timeout(30):
        while await opened.storage.reading().webhooks.waiting():
            await asyncio.sleep(0.01)


async def test_event_of_a_command_arrives_signed_while_the_daemon_runs(lab: Prepared) -> None:
    instance = lab.instance
    async with webhook_receiver() as receiver, instance.serving(SOFTIX_LOG_LEVEL="debug"):
        made = await add(instance, receiver, "--user", lab.user)
        shown = await asyncio.to_thread(instance.cli, "keys", "create", "--user", lab.user, "--name", "ci")
        [received] = await receiver.wait_for(1)
        told = received.verified(made["secret"])
        assert told["type"] == "key.created" and told["data"] == {
            "organisation": lab.user_id,
            "organisation_name": lab.user,
            "key": shown["id"],
            "key_name": "ci",
        }
        await until_delivered(instance)
        async with aiohttp.ClientSession() as session, session.get(f"{instance.url}/metrics") as answer:
            metrics = await answer.text()
        assert 'softix_webhook_deliveries_total{outcome="delivered"} 1.0' in metrics
        assert "softix_webhook_waiting 0.0" in metrics
    for file in filter(Path.is_file, instance.data_dir.rglob("*")):
        assert made["secret"].encode() not in file.read_bytes(), file.name
    assert made["secret"] not in instance.log_text() and receiver.url not in instance.log_text()


async def test_event_of_a_daemon_that_was_killed_before_it_sent_it_is_not_lost(lab: Prepared) -> None:
    instance = lab.instance
    async with webhook_receiver() as receiver:
        made = await add(instance, receiver)
        receiver.answers.append(HANGS)
        async with instance.serving():
            await enqueue(instance, 3)
            await receiver.wait_for(1)
            await instance.kill()
        await end_leases(instance)
        async with instance.serving():
            await receiver.wait_for(4)
            await until_delivered(instance)
        ids = [each.id for each in receiver.received]
        assert len({*ids}) == 3 and ids.count(ids[0]) == 2, "only the one that was under way came twice, with its id"
        for each in receiver.received:
            assert each.verified(made["secret"])["type"] == "period.closed"


async def test_events_before_two_daemons_arrive_once_each(lab: Prepared, tmp_path: Path) -> None:
    instance, other = lab.instance, Instance(tmp_path)
    other.log, other.output = tmp_path / "other.log", tmp_path / "other.out"
    async with webhook_receiver() as receiver:
        await add(instance, receiver)
        async with instance.serving(), other.serving():
            await enqueue(instance, 30)
            await receiver.wait_for(30)
            await until_delivered(instance)
        assert len({each.id for each in receiver.received}) == len(receiver.received) == 30


async def test_endpoint_of_an_organisation_gets_its_own_events_only(lab: Prepared) -> None:
    instance = lab.instance
    async with webhook_receiver() as own, webhook_receiver() as whole, instance.serving():
        await asyncio.to_thread(instance.cli, "users", "create", "eve", "--email", "eve@example.org")
        await add(instance, own, "--user", "eve")
        await add(instance, whole)
        for user in (lab.user, "eve"):
            await asyncio.to_thread(instance.cli, "keys", "create", "--user", user)
        await enqueue(instance)
        await whole.wait_for(3)
        await until_delivered(instance)
        [received] = own.received
        assert b'"organisation_name":"eve"' in received.body


async def test_failing_provider_is_told_without_what_was_asked(lab: Prepared) -> None:
    instance = lab.instance
    async with webhook_receiver() as receiver:
        made = await add(instance, receiver, "--events", "provider.failing,provider.recovered")
        async with instance.serving(), aiohttp.ClientSession() as session:
            body = {"model": "gpt-test", "messages": [{"role": "user", "content": "canary of content"}]}
            for _ in range(8):
                url = f"{instance.url}/v1/chat/completions"
                async with session.post(url, json=body, headers=lab.headers) as answer:
                    assert answer.status >= 500
            [received] = await receiver.wait_for(1)
        told = received.verified(made["secret"])
        assert told["type"] == "provider.failing" and told["data"]["models"] == ["gpt-test"]
        assert b"canary" not in received.body
