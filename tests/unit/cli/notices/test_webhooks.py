from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.webhook_receiver import WebhookReceiver, webhook_receiver

from softix_proxy import assembly
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.notices import webhook_events

Softix = Callable[..., Result]
Read = Callable[[str], Any]
URL = "https://example.org/softix"


@pytest.fixture(autouse=True)
def set_clock() -> None:
    """Leaves the clock as it is, because a receiver compares the time of a signature with its own."""


@contextmanager
def receiving(*answers: int | str) -> Iterator[WebhookReceiver]:
    """A receiver in a thread of its own, because a command runs a loop of its own."""
    ready, stop, found = threading.Event(), asyncio.Event(), list[Any]()

    async def run() -> None:
        async with webhook_receiver(answers) as receiver:
            found.extend((receiver, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    receiver, loop = found
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


def enqueue(instance: Path) -> None:
    async def add() -> None:
        async with (
            assembly.open_instance(assembly.read_settings(None, instance)) as opened,
            opened.storage.writing() as unit,
        ):
            assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {"period": "2026-10"}) == 1

    asyncio.run(add())


def test_added_endpoint_shows_its_secret_once(read: Read, run: Softix) -> None:
    made = read(f"webhooks add {URL} --events cap.reached,balance.low")
    assert made["secret"].startswith("whsec_") and made["events"] == ["balance.low", "cap.reached"]
    del made["secret"]
    assert read("webhooks list") == [made]
    assert read(f"webhooks show {made['id']}") == {**made, "deliveries": []}
    assert "whsec_" not in run(f"webhooks show {made['id']}").output


def test_added_endpoint_says_what_comes_next(run: Softix) -> None:
    told = run(f"webhooks add {URL}").output
    assert "not shown again" in told and "softix webhooks test whk_" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("http://example.org", "https only"),
        ("https://10.0.0.5", "--allow-private"),
        (f"{URL} --events balance.high", "balance.high"),
        (f"{URL} --events ,", "--events is empty"),
    ],
)
def test_endpoint_that_cannot_be_is_refused_with_what_to_do(run: Softix, line: str, told: str) -> None:
    assert told in run(f"webhooks add {line}", code=2).output


def test_test_sends_one_signed_event_and_shows_the_answer(read: Read) -> None:
    with receiving() as receiver:
        made = read(f"webhooks add {receiver.url} --allow-private")
        shown = read(f"webhooks test {made['id']}")
    [received] = receiver.received
    assert (shown["event"], shown["status_code"]) == (received.id, 204)
    told = received.verified(made["secret"])
    assert (told["type"], told["data"]) == ("webhook.test", {"endpoint": made["id"]})


def test_test_that_does_not_arrive_says_why(read: Read, run: Softix) -> None:
    with receiving(500) as receiver:
        made = read(f"webhooks add {receiver.url} --allow-private")
        told = run(f"webhooks test {made['id']}", code=1).output
    assert "it answered 500" in told and "→ see the receiver's own log" in told


def test_disabled_endpoint_and_its_replay(instance: Path, read: Read, run: Softix) -> None:
    endpoint = read(f"webhooks add {URL}")["id"]
    enqueue(instance)
    assert read(f"webhooks disable {endpoint}")["failed"] == 1
    assert read(f"webhooks enable {endpoint}")["status"] == "enabled"
    [delivery] = read(f"webhooks show {endpoint}")["deliveries"]
    assert (delivery["kind"], delivery["state"], delivery["error"]) == ("period.closed", "failed", "disabled")
    assert "period.closed" in run(f"webhooks show {endpoint}").output
    assert read(f"webhooks replay {delivery['id']}") == {"replayed": 1}
    assert read("webhooks list")[0]["waiting"] == 1
    read(f"webhooks disable {endpoint}")
    read(f"webhooks enable {endpoint}")
    assert read("webhooks replay --since 2100-01-01") == {"replayed": 0}
    assert read(f"webhooks replay {endpoint} --since 2020-01-01") == {"replayed": 1}
    assert "name a delivery" in run("webhooks replay", code=2).output


def test_rotated_secret_is_shown_and_both_sign(read: Read) -> None:
    with receiving() as receiver:
        old = read(f"webhooks add {receiver.url} --allow-private")
        new = read(f"webhooks rotate-secret {old['id']} --grace 1h")
        read(f"webhooks test {old['id']}")
    [received] = receiver.received
    assert new["old_secret_until"] is not None and new["secret"] != old["secret"]
    for secret in (old["secret"], new["secret"]):
        assert received.verified(secret)["type"] == "webhook.test"


def test_removal_asks_first(read: Read, run: Softix) -> None:
    endpoint = read(f"webhooks add {URL}")["id"]
    assert "--yes" in run(f"webhooks remove {endpoint}", code=2).output
    assert read(f"webhooks remove {endpoint} --yes") == {"id": endpoint, "removed": True}
    assert read("webhooks list") == []
    assert "no endpoint" in run(f"webhooks remove {endpoint} --yes", code=1).output
