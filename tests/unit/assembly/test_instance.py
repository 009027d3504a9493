import secrets
from pathlib import Path

import pytest

from softix_proxy import assembly
from softix_proxy.domain.core.errors import FailureError


@pytest.fixture(autouse=True)
def no_master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOFTIX_MASTER_KEY", raising=False)


async def test_initialised_instance_opens_with_its_key(tmp_path: Path) -> None:
    settings = assembly.read_settings(None, tmp_path)
    done = await assembly.initialise(settings)
    assert done.made == ("database", "master_key")
    async with assembly.open_instance(settings) as opened:
        vault = await opened.vault()
        key = vault.new_api_key()
        assert vault.master_key_id == opened.master_keys().key_id()
    assert (await assembly.initialise(settings)).made == ()
    async with assembly.open_instance(settings) as opened:
        assert (await opened.vault()).digest(key.text) == key.digest


async def test_instance_with_another_master_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = assembly.read_settings(None, tmp_path)
    await assembly.initialise(settings)
    (tmp_path / "master.key").unlink()
    for environ, message in (("", "is missing"), (secrets.token_hex(32), "is not this instance's")):
        monkeypatch.setenv("SOFTIX_MASTER_KEY", environ)
        async with assembly.open_instance(settings) as opened:
            with pytest.raises(FailureError, match=message):
                await opened.vault()
        with pytest.raises(FailureError, match=message):
            await assembly.initialise(settings)


async def test_instance_without_a_database_names_init_as_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FailureError) as caught:
        async with assembly.open_instance(assembly.read_settings(None, tmp_path)):
            pass
    assert caught.value.remedy.startswith("run: softix init")


def test_effective_settings_contain_their_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTIX_SERVER_PORT", "0")
    settings = assembly.read_settings(None, tmp_path)
    assert ("server.port", 0, "environment") in assembly.effective_settings(settings)
