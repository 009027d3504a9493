import json
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.catalog.credentials import EntraClient
from softix_proxy.domain.catalog.providers import Provider, ProviderType
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.operations.catalog import provider_probe, providers
from softix_proxy.operations.catalog.base_urls import BaseUrl
from softix_proxy.operations.catalog.provider_probe import DiscoveredServer, ProviderProbe
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

LIST = b'{"data":[{"id":"a"},{"id":"b"}]}'


class ProbeClock(StoppedClock):
    """Each time that somebody asks how long something took, five milliseconds have passed."""

    def monotonic_ns(self) -> int:
        self.us += 5_000
        return super().monotonic_ns()


@pytest.fixture
def clock() -> ProbeClock:
    return ProbeClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: ProbeClock) -> AsyncIterator[SqliteStorage]:
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


async def lab(storage: SqliteStorage, vault: LockBox, key: str | None = None) -> Provider:
    kind = ProviderType.OPENAI_COMPATIBLE
    return await providers.add(storage, vault, name="lab", kind=kind, base_url="http://lab:8000/v1", key=key)


async def probed(storage: SqliteStorage, vault: LockBox, answer: int | FailureError) -> ProviderProbe:
    async def fetch(url: str, headers: Mapping[str, str], document: object) -> Fetched:
        if isinstance(answer, FailureError):
            raise answer
        return Fetched(answer, b"")

    return await provider_probe.probe(storage, vault, "lab", fetch)


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [(ProviderType.OPENAI, "authorization", "Bearer {}"), (ProviderType.ANTHROPIC, "x-api-key", "{}")],
)
async def test_provider_probe_with_a_key_lists_the_models(
    storage: SqliteStorage, vault: LockBox, key: str, kind: ProviderType, header: str, value: str
) -> None:
    seen: list[tuple[str, Mapping[str, str]]] = []

    async def fetch(url: str, headers: Mapping[str, str], document: object) -> Fetched:
        seen.append((url, headers))
        return Fetched(200, LIST)

    added = await providers.add(storage, vault, name="lab", kind=kind, base_url="https://lab/x", key=key)
    assert await provider_probe.probe(storage, vault, added.public_id, fetch) == ProviderProbe(
        True, 200, 5, "the provider answers", models=("a", "b"), url="https://lab/x/v1/models", is_list=True
    )
    [(url, headers)] = seen
    assert (url, headers[header]) == ("https://lab/x/v1/models", value.format(key))


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "set-key lab"),
        (403, "set-key lab"),
        (404, "--base-url"),
        (429, "wait"),
        (302, "--base-url"),
        (503, "later"),
    ],
)
async def test_provider_probe_after_a_refusal_has_a_remedy(
    storage: SqliteStorage, vault: LockBox, status: int, remedy: str
) -> None:
    await lab(storage, vault)
    probe = await probed(storage, vault, status)
    assert (probe.ok, probe.status) == (False, status)
    assert remedy in probe.remedy and "{" not in probe.remedy


async def test_provider_probe_of_an_unreachable_provider_returns_the_failure(
    storage: SqliteStorage, vault: LockBox
) -> None:
    await lab(storage, vault)
    assert await probed(storage, vault, FailureError("down", "start it")) == ProviderProbe(
        False, None, 5, "down", "start it", url="http://lab:8000/v1/models"
    )


async def test_provider_probe_of_the_demo_is_refused(storage: SqliteStorage, vault: LockBox, key: str) -> None:
    await providers.add(storage, vault, name="lab", kind=ProviderType.DEMO)
    with pytest.raises(ConflictError, match="inside the daemon"):
        await probed(storage, vault, 200)


async def test_provider_probe_with_an_entra_client_hands_it_to_the_fetcher(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    seen: list[object] = []

    async def fetch(url: str, headers: Mapping[str, str], document: object) -> Fetched:
        seen.append((url, dict(headers), document))
        return Fetched(200, LIST)

    entra = json.dumps({"tenant_id": "t", "client_id": "c", "client_secret": key})
    kind, blanks = ProviderType.AZURE, {"resource": "House"}
    await providers.add(storage, vault, name="lab", kind=kind, key=entra, blanks=blanks)
    assert (await provider_probe.probe(storage, vault, "lab", fetch)).ok
    assert seen == [("https://house.openai.azure.com/openai/v1/models", {}, EntraClient("t", "c", key))]


async def test_provider_probe_without_a_model_list_is_refused(storage: SqliteStorage, vault: LockBox, key: str) -> None:
    await providers.add(storage, vault, name="lab", kind=ProviderType.PERPLEXITY, key=key)
    with pytest.raises(ConflictError, match="no list of models"):
        await probed(storage, vault, 200)


# Where the list of models is


class Listing:
    """Lists models at one path, and answers otherwise elsewhere."""

    def __init__(self, path: str, elsewhere: Fetched) -> None:
        self.path, self.elsewhere, self.asked = path, elsewhere, list[str]()

    async def __call__(self, url: str, headers: Mapping[str, str], document: object) -> Fetched:
        self.asked.append(url)
        return Fetched(200, LIST) if url == f"http://lab:8000{self.path}" else self.elsewhere


async def placed(storage: SqliteStorage, vault: LockBox, base_url: str, key: str | None = None) -> Provider:
    kind = ProviderType.OPENAI_COMPATIBLE
    return await providers.add(storage, vault, name="lab", kind=kind, base_url=base_url, key=key)


@pytest.mark.parametrize("elsewhere", [Fetched(404, b""), Fetched(200, b"<html>"), Fetched(302, b"")])
async def test_settle_with_an_unsettled_base_url_saves_the_place_that_answers(
    storage: SqliteStorage, vault: LockBox, key: str, elsewhere: Fetched
) -> None:
    await placed(storage, vault, "http://lab:8000/inference", key)
    listing = Listing("/inference/models", elsewhere)
    found = await provider_probe.settle(storage, vault, "lab", listing, is_settled=False)
    assert found is not None and found.ok and found.models == ("a", "b")
    assert listing.asked == ["http://lab:8000/inference/v1/models", "http://lab:8000/inference/models"]
    lab = await providers.show(storage, "lab")
    assert lab.path("/v1/chat/completions") == "/chat/completions"
    again = await provider_probe.probe(storage, vault, "lab", listing)
    assert again.ok and len(listing.asked) == 3


async def test_settle_with_a_settled_base_url_keeps_it_and_its_remedy_works(
    storage: SqliteStorage, vault: LockBox, key: str
) -> None:
    await placed(storage, vault, "http://lab:8000/v1", key)
    listing = Listing("/models", Fetched(404, b""))
    found = await provider_probe.settle(storage, vault, "lab", listing, is_settled=True)
    assert found is not None and not found.ok and found.is_elsewhere
    assert (await providers.show(storage, "lab")).version_in_url is False
    command, _, url = found.remedy.rpartition(" ")
    assert command == "softix providers update lab --base-url"
    await providers.update(storage, vault, "lab", base_url=url)
    assert (await provider_probe.probe(storage, vault, "lab", listing)).ok


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_settle_after_a_refused_key_tries_no_other_place(
    storage: SqliteStorage, vault: LockBox, key: str, status: int
) -> None:
    await placed(storage, vault, "http://lab:8000", key)
    listing = Listing("/models", Fetched(status, b""))
    found = await provider_probe.settle(storage, vault, "lab", listing, is_settled=False)
    assert found is not None and found.status == status and len(listing.asked) == 1


async def test_settle_without_a_model_list_sends_no_request(storage: SqliteStorage, vault: LockBox, key: str) -> None:
    await providers.add(storage, vault, name="lab", kind=ProviderType.PERPLEXITY, key=key)
    listing = Listing("/models", Fetched(404, b""))
    assert await provider_probe.settle(storage, vault, "lab", listing, is_settled=True) is None and not listing.asked


async def test_look_with_an_unversioned_base_url_finds_models_without_the_version() -> None:
    listing = Listing("/api/models", Fetched(404, b""))
    kind = ProviderType.OPENAI_COMPATIBLE
    found = await provider_probe.look(kind, "http://lab:8000/api", None, listing)
    assert (found.base.text, found.base.has_version, found.models) == ("http://lab:8000/api", True, ("a", "b"))
    with pytest.raises(FailureError, match="lists no models"):
        await provider_probe.look(kind, "http://lab:8000/api/v1", None, listing)


# Servers on this machine


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Fetched(200, LIST), ("a", "b")),
        (Fetched(200, b'{"object":"list","data":null}'), ()),
        (Fetched(200, b"<html>"), "lists no models"),
        (Fetched(404, LIST), "lists no models"),
        (Fetched(401, b""), "asks for a key"),
        (FailureError("the provider cannot be reached"), "cannot be reached"),
    ],
)
async def test_find_local_returns_the_server_or_reports_what_was_tried(
    answer: Fetched | FailureError, found: tuple[str, ...] | str
) -> None:
    async def fetch(url: str, headers: Mapping[str, str], document: object) -> Fetched:
        assert (url, dict(headers), document) == ("http://127.0.0.1:11434/v1/models", {}, None)
        if isinstance(answer, FailureError):
            raise answer
        return answer

    if isinstance(found, tuple):
        assert await provider_probe.find_local(ProviderType.OLLAMA, None, fetch) == DiscoveredServer(
            BaseUrl("http://127.0.0.1:11434"), found
        )
        return
    with pytest.raises(FailureError, match=found) as failure:
        await provider_probe.find_local(ProviderType.OLLAMA, None, fetch)
    assert "no ollama on this machine (http://127.0.0.1:11434:" in failure.value.message
    assert "--base-url" in failure.value.remedy


def test_chosen_models_are_only_those_that_exist() -> None:
    kind, known = ProviderType.OLLAMA, ("a", "b", "/models/c.gguf")
    free = provider_probe.chosen(kind, known, (), free=True)
    assert [(model.name, model.sheet.free) for model in free] == [("a", True), ("b", True)]
    [unpriced] = provider_probe.chosen(kind, known, ("b",), free=False)
    assert (unpriced.name, unpriced.versions(1)) == ("b", [])
    with pytest.raises(BadInputError, match="no model 'd'"):
        provider_probe.chosen(kind, known, ("d",), free=True)
