import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.vault import Identity, Vault
from softix_proxy.operations.catalog import providers
from softix_proxy.operations.instance import instance
from softix_proxy.operations.instance.secrets import Rotation, SecretsStatus, rotate, status
from softix_proxy.operations.notices import mail_password, outbox
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.master_key_store import MasterKeyStore


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


@pytest.fixture
async def keys(storage: SqliteStorage, tmp_path: Path) -> MasterKeyStore:
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keeper.create()
    await instance.record(storage, keeper.new_identity())
    return keeper


async def known(storage: SqliteStorage) -> Identity:
    return await instance.require_identity(storage.reading())


async def opened(storage: SqliteStorage, keys: MasterKeyStore) -> Vault:
    return keys.open(await known(storage))


async def add(storage: SqliteStorage, vault: Vault, count: int) -> dict[str, str]:
    """Providers with keys; returns the key of each name."""
    given = {f"p{number}": "sk-" + secrets.token_urlsafe(16) for number in range(count)}
    for name, key in given.items():
        kind = ProviderType.OPENAI_COMPATIBLE
        await providers.add(storage, vault, name=name, kind=kind, base_url=f"http://{name}:1", key=key)
    return given


async def stored(storage: SqliteStorage, vault: Vault) -> dict[str, str]:
    return {
        provider.name: vault.open_secret(provider.sealed_key, *provider.place_of(provider.keys[0]))
        for provider in await providers.list_all(storage)
        if provider.sealed_key is not None
    }


async def sealers(storage: SqliteStorage, vault: Vault) -> set[str]:
    listed = await providers.list_all(storage)
    return {vault.sealed_by(provider.sealed_key) for provider in listed if provider.sealed_key is not None}


async def test_rotation_makes_all_secrets_open_with_the_new_key_only(
    storage: SqliteStorage, keys: MasterKeyStore, tmp_path: Path
) -> None:
    running = await opened(storage, keys)
    given = await add(storage, running, 3)
    await providers.add(storage, running, name="demo", kind=ProviderType.DEMO)
    api_key = running.new_api_key()
    old = (tmp_path / "master.key").read_bytes()

    done = await rotate(storage, keys)

    assert done == Rotation(done.key_id, resumed=False, rewrapped=3, in_place=True)
    assert done.key_id != running.master_key_id
    assert (tmp_path / "master.key").read_bytes() != old
    assert not (tmp_path / "master.key.next").exists()
    after = await opened(storage, keys)
    assert after.master_key_id == done.key_id
    assert await sealers(storage, after) == {done.key_id}
    assert await stored(storage, after) == given
    assert after.digest(api_key.text) == api_key.digest
    assert await status(storage, keys) == SecretsStatus(done.key_id, "file", 3, 0, False)

    assert await stored(storage, running) == given, "a daemon that runs on finds the new key"
    (tmp_path / "master.key").write_bytes(old)
    with pytest.raises(FailureError, match="not this instance's"):
        await opened(storage, keys)


async def test_rotation_a_second_time_changes_the_key_again(storage: SqliteStorage, keys: MasterKeyStore) -> None:
    given = await add(storage, await opened(storage, keys), 2)
    first, second = await rotate(storage, keys), await rotate(storage, keys)
    assert (first.key_id != second.key_id, second.resumed, second.rewrapped) == (True, False, 2)
    assert await stored(storage, await opened(storage, keys)) == given


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("stop_at", range(6))
async def test_rotation_stopped_at_any_step_keeps_all_secrets_and_resumes(
    storage: SqliteStorage, keys: MasterKeyStore, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    """The steps: the switch, three secrets, the swap of the files; and after all of it."""
    running = await opened(storage, keys)
    given = await add(storage, running, 3)
    before = await known(storage)
    steps = 0

    def step() -> None:
        nonlocal steps
        if steps == stop_at:
            raise StoppedError
        steps += 1

    writing, put_in_place = storage.writing, keys.put_in_place

    def counted_writing() -> Any:
        step()
        return writing()

    def counted_put(key_id: str) -> bool:
        step()
        return put_in_place(key_id)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "writing", counted_writing)
        patched.setattr(keys, "put_in_place", counted_put)
        try:
            await rotate(storage, keys)
        except StoppedError:
            assert (await status(storage, keys)).rotating
    assert steps == min(stop_at, 5)

    for vault in (running, await opened(storage, keys)):
        assert await stored(storage, vault) == given
    if stop_at < 5:
        state = await status(storage, keys)
        assert state.outstanding == (min(3, 4 - stop_at) if stop_at else 0)
        done = await rotate(storage, keys)
        assert done.resumed == (stop_at > 0)
        assert done.in_place
    after = await opened(storage, keys)
    assert after.master_key_id != before.key_id
    assert await sealers(storage, after) == {after.master_key_id}
    assert await stored(storage, after) == given
    assert not (await status(storage, keys)).rotating


def of_before(vault: Any) -> Any:
    """A vault that does not look for a newer key, like that of a process in the middle of sealing."""
    vault._newest = lambda: None
    return vault


async def test_rotation_with_a_secret_sealed_late_by_the_old_key_includes_it(
    storage: SqliteStorage, keys: MasterKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = of_before(await opened(storage, keys))
    given, late = await add(storage, running, 1), "sk-" + secrets.token_urlsafe(16)
    writing, transactions = storage.writing, 0

    @asynccontextmanager
    async def late_writing() -> AsyncIterator[Any]:
        """Between the listing and the first secret, a command gives another key, with the vault of before."""
        nonlocal transactions
        transactions += 1
        if transactions == 2:
            async with writing() as unit:
                provider = await providers.find(unit, "p0")
                sealed = running.seal_secret(late, *provider.place_of(provider.keys[0]))
                await unit.providers.update(replace(provider, sealed_key=sealed))
        async with writing() as unit:
            yield unit

    with monkeypatch.context() as patched:
        patched.setattr(storage, "writing", late_writing)
        assert (await rotate(storage, keys)).rewrapped == 1
    assert transactions == 3
    after = await opened(storage, keys)
    assert await stored(storage, after) == {"p0": late} != given
    assert await sealers(storage, after) == {after.master_key_id}


async def broken(storage: SqliteStorage, name: str, blob: bytes) -> None:
    async with storage.writing() as unit:
        await unit.providers.update(replace(await providers.find(unit, name), sealed_key=blob))


@pytest.mark.parametrize("blob", [b"", b"\x01" + bytes(120), b"\x02" + bytes(120)])
async def test_rotation_with_a_damaged_secret_names_it_and_completes_the_others(
    storage: SqliteStorage, keys: MasterKeyStore, blob: bytes
) -> None:
    given = await add(storage, await opened(storage, keys), 3)
    await broken(storage, "p1", blob)
    with pytest.raises(FailureError) as caught:
        await rotate(storage, keys)
    assert caught.value.message == "the keys of these providers do not open: p1"
    assert "softix providers set-key" in caught.value.remedy
    state = await status(storage, keys)
    assert (state.secrets, state.outstanding, state.rotating) == (3, 1, True)
    await providers.update(storage, await opened(storage, keys), "p1", key=given["p1"])
    done = await rotate(storage, keys)
    assert (done.resumed, done.rewrapped, done.in_place) == (True, 0, True)
    assert await stored(storage, await opened(storage, keys)) == given


async def test_rotation_with_a_key_from_the_environment_waits_for_the_operator(
    storage: SqliteStorage, tmp_path: Path
) -> None:
    environ = {"SOFTIX_MASTER_KEY": secrets.token_hex(32)}
    keys = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, environ))
    await instance.record(storage, keys.new_identity())
    given = await add(storage, await opened(storage, keys), 1)
    done = await rotate(storage, keys)
    assert (done.rewrapped, done.in_place) == (1, False)
    assert await stored(storage, await opened(storage, keys)) == given
    again = await rotate(storage, keys)
    assert (again.key_id, again.resumed, again.in_place) == (done.key_id, True, False)
    environ["SOFTIX_MASTER_KEY"] = (tmp_path / "master.key.next").read_text()
    assert (await rotate(storage, keys)).in_place
    assert not (tmp_path / "master.key.next").exists()
    assert await status(storage, keys) == SecretsStatus(done.key_id, "environment", 1, 0, False)


async def test_rotation_during_another_rotation_is_refused(storage: SqliteStorage, keys: MasterKeyStore) -> None:
    with keys.changing(), pytest.raises(ConflictError):
        await rotate(storage, keys)


async def test_rotation_without_a_master_key_is_refused(storage: SqliteStorage, tmp_path: Path) -> None:
    with pytest.raises(FailureError) as caught:
        await rotate(storage, MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {})))
    assert caught.value.remedy == "run: softix init"


async def test_rotation_keeps_the_signing_key(storage: SqliteStorage, keys: MasterKeyStore, tmp_path: Path) -> None:
    public_key = (await instance.signer(storage, await opened(storage, keys))).public_key
    assert (await status(storage, keys)).secrets == 1
    assert (await rotate(storage, keys)).rewrapped == 1
    assert (await status(storage, keys)).outstanding == 0
    alone = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    assert (await instance.signer(storage, await opened(storage, alone))).public_key == public_key
    assert (await rotate(storage, alone)).rewrapped == 1


async def test_rotation_with_a_signing_key_sealed_late_by_the_old_key_resumes(
    storage: SqliteStorage, keys: MasterKeyStore
) -> None:
    late = of_before(await opened(storage, keys))
    following = keys.open_next(await known(storage))
    async with storage.writing() as unit:
        pepper = following.rewrap_secret((await known(storage)).sealed_pepper, "instance", "pepper")
        await instance.write(unit, Identity(following.master_key_id, following.check_value(), pepper))
    public_key = (await instance.signer(storage, late)).public_key
    assert (await status(storage, keys)).outstanding == 1
    assert (await rotate(storage, keys)).resumed
    assert (await status(storage, keys)).outstanding == 0
    assert (await instance.signer(storage, await opened(storage, keys))).public_key == public_key


async def test_rotation_includes_further_keys_of_a_provider(storage: SqliteStorage, keys: MasterKeyStore) -> None:
    running = await opened(storage, keys)
    await add(storage, running, 1)
    text = "sk-" + secrets.token_urlsafe(16)
    await providers.set_key(storage, running, "p0", text, label="second", weight=4, add=True)
    assert (await status(storage, keys)).secrets == 2
    assert (await rotate(storage, keys)).rewrapped == 2
    vault = await opened(storage, keys)
    [provider] = await providers.list_all(storage)
    second = provider.keys[1]
    assert (second.weight, vault.open_secret(second.sealed, *provider.place_of(second))) == (4, text)
    assert vault.sealed_by(second.sealed) == vault.master_key_id


async def test_rotation_takes_the_mail_password_and_waiting_links_along(
    storage: SqliteStorage, keys: MasterKeyStore
) -> None:
    vault, text = await opened(storage, keys), secrets.token_urlsafe(12)
    section = MailSection(host="smtp.example.org", user="softix")
    await mail_password.set_password(storage, vault, section, text)
    notice = Notice(NoticeKind.RESET_PASSWORD, "ada@example.org", links={"action": "/reset?token=abc"})
    async with storage.writing() as unit:
        await outbox.enqueue(unit, vault, notice)
    assert (await status(storage, keys)).secrets == 2
    done = await rotate(storage, keys)
    told = await status(storage, keys)
    assert (done.rewrapped, told.secrets, told.outstanding) == (2, 2, 0)
    after = await opened(storage, keys)
    assert await mail_password.password(storage.reading(), after, section) == text
    [queued] = await outbox.list_all(storage, limit=1)
    assert outbox.open_links(after, queued) == notice.links
