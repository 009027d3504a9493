from __future__ import annotations

from softix_proxy import assembly
from softix_proxy.settings import Settings


async def test_check_context_of_a_damaged_database_opens_and_changes_nothing(ready: Settings) -> None:
    ready.paths.database.write_bytes(b"no database at all" * 300)
    before = ready.paths.database.read_bytes()
    async with assembly.open_check_context(ready, offline=True) as context:
        assert context.settings is ready
    assert ready.paths.database.read_bytes() == before


async def test_check_context_offline_has_no_way_to_providers(ready: Settings) -> None:
    async with assembly.open_check_context(ready, offline=True) as context:
        assert context.fetch is None
    async with assembly.open_check_context(ready, offline=False) as context:
        assert context.fetch is not None
