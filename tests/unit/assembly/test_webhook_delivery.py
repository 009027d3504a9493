from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from support.process import environment
from support.webhook_receiver import webhook_receiver

from softix_proxy import assembly
from softix_proxy.assembly import webhook_delivery
from softix_proxy.domain.notices.delivery_tally import DeliveryTally
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.notices import webhook_events, webhooks
from softix_proxy.settings import Settings


async def test_event_for_the_first_endpoint_is_delivered_while_the_block_runs(ready: Settings) -> None:
    tally = DeliveryTally()
    async with webhook_receiver() as receiver, assembly.open_instance(ready) as instance:
        vault = await instance.vault()
        async with webhook_delivery.delivering(instance, vault, tally):
            made = await webhooks.add(instance.storage, vault, receiver.url, allow_private=True)
            async with instance.storage.writing() as unit:
                await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {"period": "2026-10"})
            [received] = await receiver.wait_for(1)
            async with asyncio.timeout(20):
                while not tally.delivered:
                    await asyncio.sleep(0)
        assert received.verified(made.secret)["data"] == {"period": "2026-10"}
        assert tally.waiting == 0


async def test_block_without_an_endpoint_ends_at_once(ready: Settings) -> None:
    async with assembly.open_instance(ready) as instance:
        vault = await instance.vault()
        async with asyncio.timeout(20), webhook_delivery.delivering(instance, vault, DeliveryTally()):
            await asyncio.sleep(0)


def test_daemon_without_an_endpoint_imports_nothing_of_webhooks(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from dataclasses import replace\n"
        "from softix_proxy import assembly\n"
        "settings = assembly.read_settings(None, pathlib.Path(sys.argv[1]))\n"
        "settings = replace(settings, server=replace(settings.server, port=0))\n"
        "async def main():\n"
        "    await assembly.initialise(settings)\n"
        "    async with assembly.serving(settings):\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
        "print(sorted(m for m in sys.modules if 'webhook' in m and m.startswith('softix_proxy')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "softix")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.strip().splitlines()[-1]
    for name in ("jobs.webhooks", "operations.notices", "upstream.webhook_client"):
        assert name not in loaded, loaded
