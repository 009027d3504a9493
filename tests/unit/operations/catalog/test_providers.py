import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.operations.catalog import catalogue, providers
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", clock)
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


class LockBox:
    """Seals as the vault does: what is sealed opens at its own place only."""

    def __init__(self) -> None:
        self._sealed: dict[bytes, tuple[bytes, tuple[str, ...]]] = {}

    def seal_secret(self, secret: bytes, *place: str) -> bytes:
        blob = secrets.token_bytes(16)
        self._sealed[blob] = (secret, place)
        return blob

    def open_secret(self, blob: bytes, *place: str) -> str:
        secret, sealed_for = self._sealed[blob]
        if place != sealed_for:
            raise FailureError("sealed for another place")
        return secret.decode()


@pytest.fixture
def vault() -> LockBox:
    return LockBox()


@pytest.fixture
def key() -> str:
    return "sk-" + secrets.token_urlsafe(24)


def opened(vault: LockBox, provider: Provider) -> str:
    assert provider.sealed_key is not None
    return vault.open_secret(provider.sealed_key, "providers", provider.public_id, "sealed_key", provider.origin)


async def lab(storage: SqliteStorage, vault: LockBox, key: str | None = None) -> Provider:
    kind = ProviderType.OPENAI_COMPATIBLE
    return await providers.add(storage, vault, name="lab", kind=kind, base_url="http://lab:8000/v1", key=key)


# Adding


@pytest.mark.parametrize("kind", [ProviderType.OPENAI, ProviderType.ANTHROPIC])
async def test_provider_add_with_catalogue_models_enables_them(
    storage: SqliteStorage, vault: LockBox, key: str, clock: StoppedClock, kind: ProviderType
) -> None:
    known = catalogue.load().models(kind.value)
    provider = await providers.add(storage, vault, name="main", kind=kind, key=key, models=known)
    assert provider.base_url == provider.profile.base_url
    assert provider.status is ProviderStatus.ACTIVE and provider.on_hang_up == "cancel"
    assert opened(vault, provider) == key
    assert key not in repr(provider)
    reading = storage.reading()
    models, prices = await reading.models.list(), await reading.prices.list()
    assert [(model.name, model.context_tokens, model.max_output_tokens) for model in models] == [
        (model.name, model.context, model.max_output) for model in known
    ]
    assert [(price.model_id, price.starts_at_us, price.sheet) for price in prices] == [
        (model.id, start_us if start_us > clock.us else 0, sheet)
        for model, entry in zip(models, known, strict=True)
        for start_us, sheet in entry.versions(clock.us)
    ], "what applies now holds from ever, whatever a clock will say"
    assert {(price.source, price.user_id) for price in prices} == {("catalogue", None)}
    assert {(model.provider_id, model.status) for model in models} == {(provider.id, ModelStatus.ACTIVE)}


async def test_provider_add_with_a_taken_name_changes_nothing(storage: SqliteStorage, vault: LockBox, key: str) -> None:
    await lab(storage, vault)
    known = catalogue.load().models("anthropic")
    with pytest.raises(ConflictError):
        await providers.add(storage, vault, name="lab", kind=ProviderType.ANTHROPIC, key=key, models=known)
    assert len(await providers.list_all(storage)) == 1
    assert await storage.reading().models.list() == []


@pytest.mark.parametrize(
    ("kind", "base_url", "with_key"),
    [
        (ProviderType.OPENAI, "", False),
        (ProviderType.ANTHROPIC, "https://proxy.example.org", False),
        (ProviderType.OPENAI_COMPATIBLE, "", True),
    ],
)
async def test_provider_add_without_a_required_value_is_refused(
    storage: SqliteStorage, vault: LockBox, key: str, kind: ProviderType, base_url: str, with_key: bool
) -> None:
    with pytest.raises(BadInputError, match="needs"):
        await providers.add(storage, vault, name="x", kind=kind, base_url=base_url, key=key if with_key else None)


async def test_provider_add_without_a_key_or_an_address_works_where_none_is_needed(
    storage: SqliteStorage, vault: LockBox
) -> None:
    assert (await lab(storage, vault)).sealed_key is None
    demo = await providers.add(storage, vault, name="demo", kind=ProviderType.DEMO, on_hang_up="drain")
    assert (demo.base_url, demo.origin, demo.sealed_key, demo.on_hang_up) == ("", "", None, "drain")


@pytest.mark.parametrize("bad", ["two words", "line\nbreak", "naïve", "", "k" * 4097])
async def test_provider_key_that_is_bad_is_refused_without_a_quote(
    storage: SqliteStorage, vault: LockBox, bad: str
) -> None:
    with pytest.raises(BadInputError) as refusal:
        await lab(storage, vault, bad)
    assert not bad or bad not in refusal.value.message + refusal.value.remedy


@pytest.mark.parametrize("name", ["", "OpenAI", "-a", ".a", "a/b", "a b", "a" * 42, "ä"])
async def test_provider_name_that_is_bad_is_refused(storage: SqliteStorage, vault: LockBox, name: str) -> None:
    with pytest.raises(BadInputError):
        await providers.add(storage, vault, name=name, kind=ProviderType.DEMO)


# Changing


async def test_provider_update_with_a_new_address_needs_the_key_again(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    await lab(storage, vault, key)
    for url in ("http://lab:8001", "https://lab:8000", "http://lab:8000/x", "http://bal:8000"):
        with pytest.raises(ConflictError, match="sealed"):
            await providers.update(storage, vault, "lab", base_url=url)
    same = await providers.update(storage, vault, "lab", base_url="http://lab:8000/", on_hang_up="drain")
    assert (opened(vault, same), same.on_hang_up) == (key, "drain")
    moved = await providers.update(storage, vault, "lab", base_url="https://lab", key=key)
    assert opened(vault, moved) == key
    assert await providers.show(storage, "lab") == moved


async def test_provider_update_without_a_sealed_key_changes_the_address(storage: SqliteStorage, vault: LockBox) -> None:
    await lab(storage, vault)
    assert (await providers.update(storage, vault, "lab", base_url="https://b")).base_url == "https://b"


async def test_provider_update_with_a_new_key_replaces_the_old_one(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    before = await lab(storage, vault, key)
    after = await providers.update(storage, vault, before.public_id, key=key[::-1])
    assert opened(vault, after) == key[::-1]
    assert after.sealed_key != before.sealed_key


async def test_provider_status_after_disabling_and_enabling_is_active(storage: SqliteStorage, vault: LockBox) -> None:
    await lab(storage, vault)
    for status in (ProviderStatus.DISABLED, ProviderStatus.ACTIVE):
        await providers.set_status(storage, "lab", status)
        assert (await providers.show(storage, "lab")).status is status


async def test_provider_remove_wipes_the_key_disables_the_models_and_frees_the_name(
    storage: SqliteStorage, vault: LockBox, key: str, tmp_path: Path
) -> None:
    known = catalogue.load().models("anthropic")
    first = await providers.add(storage, vault, name="main", kind=ProviderType.ANTHROPIC, key=key, models=known)
    removed = await providers.remove(storage, "main")
    assert (removed.name, removed.sealed_key, removed.status) == (first.public_id, None, ProviderStatus.REMOVED)
    assert {model.status for model in await storage.reading().models.list()} == {ModelStatus.DISABLED}
    assert await providers.list_all(storage) == []
    with pytest.raises(NotFoundError):
        await providers.show(storage, "main")
    second = await providers.add(storage, vault, name="main", kind=ProviderType.ANTHROPIC, key=key, models=known)
    assert second.id != first.id
    assert await providers.show(storage, first.public_id) == removed
    for change in (providers.remove(storage, first.public_id), providers.update(storage, vault, first.public_id)):
        with pytest.raises(ConflictError, match="removed"):
            await change


# Several keys, regions


async def test_provider_second_key_is_sealed_changed_and_removed_by_itself(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    await lab(storage, vault, key)
    second = f"sk-{secrets.token_hex(8)}"
    changed = await providers.set_key(storage, vault, "lab", second, label="second", weight=3, add=True)
    assert [(key.label, key.weight) for key in changed.keys] == [("main", 1), ("second", 3)]
    [main, other] = changed.keys
    assert vault.open_secret(other.sealed, *changed.place_of(other)) == second
    with pytest.raises(FailureError):
        vault.open_secret(other.sealed, *changed.place_of(main))
    lighter = await providers.set_key(storage, vault, "lab", None, label="second", weight=1)
    assert [key.weight for key in lighter.keys] == [1, 1] and lighter.keys[1].sealed == other.sealed
    third = f"sk-{secrets.token_hex(8)}"
    replaced = await providers.set_key(storage, vault, "lab", third, label="second")
    assert vault.open_secret(replaced.keys[1].sealed, *replaced.place_of(replaced.keys[1])) == third
    removed = await providers.remove_key(storage, "lab", "second")
    assert [key.label for key in removed.keys] == ["main"]


async def test_provider_key_change_with_a_wrong_label_is_refused(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    await lab(storage, vault, key)
    with pytest.raises(NotFoundError):
        await providers.set_key(storage, vault, "lab", "sk-a", label="second")
    with pytest.raises(ConflictError):
        await providers.set_key(storage, vault, "lab", "sk-a", add=True)
    with pytest.raises(BadInputError):
        await providers.set_key(storage, vault, "lab", "sk-a", label="Not A Label", add=True)
    with pytest.raises(BadInputError):
        await providers.set_key(storage, vault, "lab", None, label="main")
    with pytest.raises(NotFoundError):
        await providers.remove_key(storage, "lab", "second")
    await providers.set_key(storage, vault, "lab", "sk-a", label="second", add=True)
    with pytest.raises(ConflictError):
        await providers.update(storage, vault, "lab", base_url="http://elsewhere:1", key="sk-b")
    assert (await providers.remove(storage, "lab")).keys == ()


async def test_provider_region_is_set_kept_and_cleared(storage: SqliteStorage, vault: LockBox, key: str) -> None:
    await lab(storage, vault, key)
    assert (await providers.update(storage, vault, "lab", region="eu")).region == "eu"
    assert (await providers.update(storage, vault, "lab")).region == "eu"
    assert (await providers.update(storage, vault, "lab", region="")).region is None
    with pytest.raises(BadInputError):
        await providers.update(storage, vault, "lab", region="Not One")
