import pytest

from softix_proxy import assembly
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.settings import Settings


async def test_check_context_without_the_instance_s_key_opens_no_vault(made: Settings) -> None:
    async with assembly.open_check_context(made, offline=True) as context:
        assert (await context.vault()).master_key_id == context.keys.key_id()
        made.paths.master_key.unlink()
        with pytest.raises(FailureError, match="is missing"):
            await context.vault()
