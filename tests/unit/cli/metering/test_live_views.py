from __future__ import annotations

import asyncio
from pathlib import Path

from softix_proxy import assembly
from softix_proxy.cli.metering.live_views import LocalView
from softix_proxy.operations.metering.live import LiveView, LiveWish
from softix_proxy.storage.sqlite.core.database import Database


def test_picture_of_this_machine_has_its_wish_and_its_fields(database: Database, instance: Path) -> None:
    async def look() -> None:
        async with assembly.open_instance(assembly.read_settings(None, instance)) as opened:
            wish = LiveWish(user="ada", most=3)
            shown = await LocalView(LiveView(opened.storage, 0)).look(wish)
            assert shown.wish == wish and shown.fields["filter"]["user"] == "ada"

    asyncio.run(look())
