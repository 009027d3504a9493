import json
from typing import Any

import pytest

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.core.listings import (
    ListedKind,
    ListedObject,
    PageRequest,
    has_purpose,
    read_page,
    write_one,
    write_page,
)
from softix_proxy.domain.core.errors import RefusedError

FILE = {
    "id": "f1",
    "object": "file",
    "bytes": 7,
    "created_at": 1_767_225_600,
    "filename": "a.jsonl",
    "purpose": "batch",
}
BATCH = {"id": "b1", "object": "batch", "status": "completed", "created_at": 1_767_225_600, "output_file_id": "f2"}


def listed(*bodies: dict[str, Any]) -> list[ListedObject]:
    return [ListedObject(body["id"], json.dumps(body).encode()) for body in bodies]


@pytest.mark.parametrize(
    ("family", "query", "page"),
    [
        ("openai", "", PageRequest(20, None)),
        ("openai", "limit=5&after=x", PageRequest(5, "x")),
        ("openai", "limit=10000", PageRequest(100, None)),
        ("openai", "order=asc&purpose=batch", PageRequest(20, None, ascending=True, purpose="batch")),
        ("openai", "order=desc&after_id=x", PageRequest(20, None)),
        ("anthropic", "after_id=x", PageRequest(20, "x")),
        ("anthropic", "before_id=x&limit=2", PageRequest(2, "x", ascending=True, backwards=True)),
        ("gemini", "pageSize=5&pageToken=x", PageRequest(5, "x")),
        ("gemini", "page_size=6&limit=9", PageRequest(6, None)),
    ],
)
def test_page_query_of_each_family_is_read(family: Family, query: str, page: PageRequest) -> None:
    assert read_page(family, query) == page


@pytest.mark.parametrize(
    ("family", "query"),
    [
        *(("openai", f"limit={text}") for text in ("0", "-1", "x", "²", "1.5")),
        ("openai", "order=up"),
        ("anthropic", "after_id=a&before_id=b"),
        ("gemini", "pageSize=0"),
    ],
)
def test_page_query_with_bad_values_is_refused(family: Family, query: str) -> None:
    with pytest.raises(RefusedError):
        read_page(family, query)


def test_openai_page_with_and_without_files_has_its_members() -> None:
    told = json.loads(write_page("openai", "files", listed(FILE), "f1"))
    assert told == {"object": "list", "data": [FILE], "has_more": True, "first_id": "f1", "last_id": "f1"}
    assert json.loads(write_page("openai", "files", [], None)) == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


def test_anthropic_page_with_and_without_batches_has_its_members() -> None:
    told = json.loads(write_page("anthropic", "batches", listed({"id": "m1"}, {"id": "m2"}), None))
    assert told == {"data": [{"id": "m1"}, {"id": "m2"}], "has_more": False, "first_id": "m1", "last_id": "m2"}
    empty = json.loads(write_page("anthropic", "batches", [], "m9"))
    assert (empty["has_more"], empty["last_id"]) == (True, "m9"), "so that its SDK can go on"


@pytest.mark.parametrize(("kind", "body", "name"), [("files", FILE, "files"), ("batches", BATCH, "operations")])
def test_google_page_with_and_without_entries_has_its_members(
    kind: ListedKind, body: dict[str, Any], name: str
) -> None:
    told = json.loads(write_page("gemini", kind, listed(body), "x"))
    assert told["nextPageToken"] == "x" and told[name] == [json.loads(write_one(kind, json.dumps(body).encode()))]
    assert "nextPageToken" not in json.loads(write_page("gemini", kind, [], None))


def test_google_file_from_a_stored_file_has_its_members() -> None:
    assert json.loads(write_one("files", json.dumps(FILE).encode())) == {
        "name": "files/f1",
        "displayName": "a.jsonl",
        "mimeType": "application/jsonl",
        "sizeBytes": "7",
        "createTime": "2026-01-01T00:00:00Z",
        "updateTime": "2026-01-01T00:00:00Z",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }


@pytest.mark.parametrize(
    ("status", "state", "done"),
    [
        ("validating", "PENDING", False),
        ("in_progress", "RUNNING", False),
        ("finalizing", "RUNNING", False),
        ("completed", "SUCCEEDED", True),
        ("failed", "FAILED", True),
        ("expired", "EXPIRED", True),
        ("cancelled", "CANCELLED", True),
    ],
)
def test_google_batch_in_each_status_has_its_state(status: str, state: str, done: bool) -> None:
    body = {**BATCH, "status": status, f"{status}_at": 1_767_225_660}
    told = json.loads(write_one("batches", json.dumps(body).encode()))
    assert (told["name"], told["done"], told["metadata"]["state"]) == ("batches/b1", done, f"BATCH_STATE_{state}")
    assert told["metadata"]["output"] == {"responsesFile": "files/f2"}
    assert told["metadata"].get("endTime") == ("2026-01-01T00:01:00Z" if done else None)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": 5}', b"\xff"])
def test_stored_body_that_is_no_file_stays_unchanged(body: bytes) -> None:
    assert write_one("files", body) == body and not has_purpose(body, "batch")


def test_google_file_with_odd_members_leaves_them_out() -> None:
    odd = {"id": "f1", "bytes": "7", "created_at": True, "filename": 5, "expires_at": 2**60}
    assert json.loads(write_one("files", json.dumps(odd).encode())).keys() == {"name", "mimeType", "state", "source"}
