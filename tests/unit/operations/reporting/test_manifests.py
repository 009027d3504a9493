import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, FailureError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.exports.reporting.atomic_file import AtomicExport
from softix_proxy.operations.ledger import periods
from softix_proxy.operations.reporting import exports, manifests
from softix_proxy.operations.reporting.exports import ExportRequest
from softix_proxy.operations.reporting.manifests import PublishedManifest
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.signatures import Ed25519Signer, is_signed

SIGNER = Ed25519Signer(secrets.token_bytes(32))
SPAN = Span(NOW_US - DAY_US, NOW_US + DAY_US)
assert POSTED_PICO


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Five requests of two users; the day is over."""
    database = make_database(tmp_path, StoppedClock(NOW_US + 2 * DAY_US))
    connection = database.connect()
    settled = [make_settlement(make_intent(n, 0, user=1 + n % 2), charge_pico=n * 10, cost_pico=n) for n in range(5)]
    post(connection, settled, NOW_US)
    connection.close()
    yield await database.open()
    await database.close()


@pytest.fixture
def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


async def export(
    storage: SqliteStorage, out: Path, user: str | None = None, form: str = "csv", counted: bool = True
) -> PublishedManifest:
    told = await exports.account(storage, ExportRequest(form, SPAN, user))
    with AtomicExport(out, overwrite=True, form=exports.row_form(form)) as draft:
        exported = await exports.export(storage, ExportRequest(form, SPAN, user))
        async for chunk in exported.chunks:
            draft.write(chunk.text)
            if chunk.sums is not None and counted:
                told.add(chunk.sums)
        published = await manifests.publish(storage, SIGNER, draft, told)
    assert published is not None
    return published


async def test_manifest_of_an_export_has_period_rows_sums_and_signature(storage: SqliteStorage, tmp_path: Path) -> None:
    day = await periods.close(storage, periods.Closing("day", "UTC", SPAN))
    published = await export(storage, tmp_path / "a.csv")
    body = json.loads(published.place.read_bytes())["body"]
    assert body["period"]["name"] == day.label and body["format"] == "csv" and body["user_id"] is None
    assert body["rows"] == {"count": 5, "first_row_id": NOW_US, "last_row_id": NOW_US + 4}
    assert [(one["user_id"], one["rows"], one["charge"]) for one in body["sums"]] == [
        ("usr_ada", 3, "0.00000000006"),
        ("usr_bob", 2, "0.00000000004"),
    ]
    assert body["totals"][0]["charge"] == "0.0000000001" and body["files"][0]["name"] == "a.csv"
    assert (published.manifest.number, published.manifest.previous_sha256) == (1, None)
    assert is_signed(SIGNER.public_key, published.manifest.signed(), published.manifest.signature)


async def test_manifest_chain_after_three_exports_verifies(storage: SqliteStorage, tmp_path: Path) -> None:
    done = [await export(storage, tmp_path / f"{name}.csv") for name in "aba"]
    assert [one.manifest.number for one in done] == [1, 2, 3]
    assert [one.manifest.previous_sha256 for one in done[1:]] == [one.manifest.sha256 for one in done[:2]]
    assert await manifests.list_all(storage) == [one.manifest for one in done]
    told = manifests.verify(
        [tmp_path], SIGNER.public_key, is_signed, first=1, last=3, spared=list(tmp_path.glob("*.db*"))
    )
    assert (told.findings, told.manifests, told.files) == ([], 3, 2)


async def test_manifest_of_an_uncounted_export_equals_that_of_a_counted_one(
    storage: SqliteStorage, tmp_path: Path
) -> None:
    counted, uncounted = (
        await export(storage, tmp_path / "a.csv"),
        await export(storage, tmp_path / "a.csv", counted=False),
    )
    assert {**counted.body, "files": []} == {**uncounted.body, "files": []}
    of_bob = await export(storage, tmp_path / "b.csv", "bob", counted=False)
    assert [one["rows"] for one in of_bob.body["sums"]] == [2] and of_bob.body["user_id"] == "usr_bob"
    with pytest.raises(NotFoundError):
        await exports.account(storage, ExportRequest("csv", SPAN, "eve"))


@pytest.mark.parametrize("renamed", [False, True])
async def test_manifest_after_a_killed_export_is_made_up(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    out = tmp_path / "a.csv"

    def die(*_: object) -> Path:
        if renamed:
            out.with_name("a.csv.partial").rename(out)
        raise FailureError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(AtomicExport, "place", die)
        with pytest.raises(FailureError, match="killed"):
            await export(storage, out)
    other = await exports.account(storage, ExportRequest("jsonl", SPAN))
    asked = await exports.account(storage, ExportRequest("csv", SPAN))
    if renamed:
        assert await manifests.made_up(storage, out, other) is None
        asked_again = await manifests.made_up(storage, out, asked)
        assert asked_again is None and (tmp_path / "a.csv.0001.manifest.json").exists(), "done, and not asked for"
    else:
        published = await manifests.made_up(storage, out, asked)
        assert published is not None and published.manifest.number == 1
    spared = [*tmp_path.glob("softix.db*")]
    assert manifests.verify([tmp_path], SIGNER.public_key, is_signed, first=1, spared=spared).findings == []


async def test_manifest_that_was_never_signed_is_forgotten(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        raise ConflictError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "_signed", die)
        with pytest.raises(ConflictError):
            await export(storage, tmp_path / "a.csv")
    assert (
        await manifests.made_up(storage, tmp_path / "a.csv", await exports.account(storage, ExportRequest("csv", SPAN)))
        is None
    )
    assert not list(tmp_path.glob("*.manifest*")) and await manifests.list_all(storage) == []
    assert (await export(storage, tmp_path / "a.csv")).manifest.number == 1
    assert {path.name for path in tmp_path.glob("a*")} == {"a.csv", "a.csv.0001.manifest.json"}


async def test_manifest_of_an_export_during_a_posting_does_not_count_it(
    storage: SqliteStorage, database: Database, tmp_path: Path
) -> None:
    wanted = ExportRequest("hledger", Span(0, NOW_US + 9 * DAY_US))
    exported, told = await exports.export(storage, wanted), await exports.account(storage, wanted)
    connection = database.connect()
    post(connection, [make_settlement(make_intent(90, 0))], NOW_US + DAY_US)
    connection.close()
    with AtomicExport(tmp_path / "a.journal", overwrite=False) as draft:
        async for chunk in exported.chunks:
            draft.write(chunk.text)
        published = await manifests.publish(storage, SIGNER, draft, told, exported.last_us)
    assert published is not None and published.body["rows"]["last_row_id"] == NOW_US + 4
    assert "0.25" not in (tmp_path / "a.journal").read_text(), "the charge of the late one"
