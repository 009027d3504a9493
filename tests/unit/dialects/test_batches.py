from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects import batches
from softix_proxy.dialects.batches import BatchCreation, BatchItemResult, BatchProgress, digest
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.scan import finished
from softix_proxy.domain.core.errors import Code, RefusedError

CHAT = ENDPOINTS["chat_completions"]


def as_json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_digest_of_a_name_is_stable_and_differs_between_names() -> None:
    assert digest("a") == digest("a") != digest("b") and len(digest("\ud800")) == 32


def test_batch_creation_with_a_file_and_an_endpoint_is_read() -> None:
    body = as_json(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    assert batches.read_creation(body) == BatchCreation("file-1", CHAT)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (as_json(endpoint="/v1/chat/completions"), Code.INVALID_REQUEST),
        (as_json(input_file_id="file-1"), Code.INVALID_REQUEST),
        (as_json(input_file_id="file-1", endpoint="/v1/videos"), Code.ENDPOINT_NOT_METERED),
        (b"[]", Code.INVALID_REQUEST),
    ],
)
def test_batch_creation_with_missing_or_bad_fields_is_refused(body: bytes, code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        batches.read_creation(body)
    assert refused.value.code is code


def test_batch_line_with_all_fields_is_read() -> None:
    line = b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model":  "m"}}'
    assert batches.read_line(line, CHAT) == (digest("a"), CHAT, b'{"model":  "m"}', line)


@pytest.mark.parametrize(
    "changes", [{"method": "GET"}, {"url": "/v1/embeddings"}, {"body": None}, {"custom_id": ""}, {"custom_id": 1}]
)
def test_batch_line_with_a_bad_field_is_refused(changes: dict[str, Any]) -> None:
    fields = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}} | changes
    if changes == {"body": None}:
        del fields["body"]
    with pytest.raises(RefusedError):
        batches.read_line(as_json(**fields), CHAT)


def test_batch_entries_in_the_body_are_read() -> None:
    body = as_json(requests=[{"custom_id": "a", "params": {"model": "m"}}, {"custom_id": "b", "params": {}}])
    assert [(item.custom_id, item.body) for item in batches.read_entries(body)] == [
        (digest("a"), b'{"model": "m"}'),
        (digest("b"), b"{}"),
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (as_json(requests={}), "must be a list"),
        (as_json(requests=[{"custom_id": "a", "params": {}}, {"custom_id": "b"}]), "Request 2 of the batch"),
        (as_json(requests=[1]), "Request 1 of the batch"),
    ],
)
def test_batch_entries_with_a_bad_shape_are_refused_with_the_place(body: bytes, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        list(batches.read_entries(body))
    assert why in refused.value.message


def test_batch_entries_over_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_REQUESTS", 1)
    with pytest.raises(RefusedError):
        list(batches.read_entries(as_json(requests=[{}, {}])))


def test_batch_body_with_other_model_names_changes_only_those() -> None:
    body = b'{"requests": [{"custom_id":"a", "params":{"model":"m", "n": 1.0}}, {"custom_id": "b"}], "x":  1}'
    assert finished(batches.with_model({}, body)) is body
    changed = finished(batches.with_model({0: "there"}, body))
    assert json.loads(changed)["requests"] == [
        {"custom_id": "a", "params": {"model": "there", "n": 1.0}},
        {"custom_id": "b"},
    ]
    assert b'"x":1' in changed and b"1.0" in changed


@pytest.mark.parametrize("status", ["failed", "completed", "expired", "cancelled"])
def test_openai_batch_progress_in_each_final_status_is_ended(status: str) -> None:
    counts = {"total": 3, "completed": 2, "failed": 1}
    body = as_json(id="b", status=status, output_file_id="f1", error_file_id="f2", request_counts=counts)
    assert batches.read_progress(body) == BatchProgress(True, "b", ("f1", "f2"), False, 2)


def test_batch_progress_with_unfinished_or_odd_states_is_read() -> None:
    assert batches.read_progress(as_json(id="b", status="in_progress")) == BatchProgress(False, "b", (), False, 0)
    ended = as_json(id="m", processing_status="ended", results_url="https://there", request_counts={"succeeded": 7})
    assert batches.read_progress(ended) == BatchProgress(True, "m", (), True, 7)
    strange = as_json(id="m", processing_status="ended", request_counts={"succeeded": "many", "completed": True})
    assert batches.read_progress(strange) == BatchProgress(True, "m", (), False, 0)
    assert batches.read_progress(as_json(id=1, processing_status="canceling")) == BatchProgress(
        False, None, (), False, 0
    )
    assert batches.read_progress(b"[]") is None
    named = batches.read_progress(as_json(id="b", status="completed", input_file_id="f0"))
    assert named is not None and named.input_file == "f0"


def test_batch_results_address_becomes_our_own_path() -> None:
    there = b'{"id":"m","results_url":"https://api.anthropic.com/x"}'
    assert batches.at_home(there, "m") == b'{"id":"m","results_url":"/v1/messages/batches/m/results"}'
    assert batches.at_home(b'{"results_url": null}', "m") == b'{"results_url": null}'


def test_batch_made_of_a_copy_names_the_client_s_file() -> None:
    assert batches.with_input_file(b'{ "input_file_id": "mine","x":1.0}', "copy") == b'{"input_file_id":"copy","x":1.0}'
    assert batches.at_home(b'{"id":"b","input_file_id":"copy"}', "b", "mine") == b'{"id":"b","input_file_id":"mine"}'
    assert batches.at_home(b'{"id": "b"}', "b", "mine") == b'{"id": "b"}'
    assert batches.at_home(b'{"input_file_id": "mine"}', "b", "mine") == b'{"input_file_id": "mine"}'
    assert batches.at_home(b'{"input_file_id": "mine"}', "b") == b'{"input_file_id": "mine"}'


def test_line_gets_another_request_and_keeps_the_rest() -> None:
    assert (
        batches.with_body(b'{"custom_id":"a", "body":{"x":1}, "n":1.0}', b"{}")
        == b'{"custom_id":"a","body":{},"n":1.0}'
    )


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (
            as_json(custom_id="a", response={"status_code": 200, "body": {"x": 1}}),
            BatchItemResult(digest("a"), 200, b'{"x": 1}', True),
        ),
        (
            as_json(custom_id="a", response={"status_code": 429, "body": {}}),
            BatchItemResult(digest("a"), 429, b"{}", False),
        ),
        (
            as_json(custom_id="a", response={"status_code": "x", "body": {}}),
            BatchItemResult(digest("a"), 200, b"{}", True),
        ),
        (as_json(custom_id="a", response={"status_code": 200}), BatchItemResult(digest("a"), 200, b"", True)),
        (
            as_json(custom_id="a", response=None, error={"code": "batch_expired"}),
            BatchItemResult(digest("a"), 400, None, False),
        ),
        (
            as_json(custom_id="a", result={"type": "succeeded", "message": {}}),
            BatchItemResult(digest("a"), 200, b"{}", True),
        ),
        (
            as_json(custom_id="a", result={"type": "errored", "error": {}}),
            BatchItemResult(digest("a"), 400, b"{}", False),
        ),
        (as_json(custom_id="a", result={"type": "expired"}), BatchItemResult(digest("a"), 504, None, False)),
        (as_json(custom_id="a", result={"type": "canceled"}), BatchItemResult(digest("a"), 499, None, False)),
        (b"{}", None),
        (b"no", None),
    ],
)
def test_batch_outcome_of_each_result_line_is_read(line: bytes, outcome: BatchItemResult | None) -> None:
    assert batches.read_outcome(line) == outcome


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_batch_lines_with_split_input_are_the_same(size: int) -> None:
    whole, held, found = b"one\n\ntwo\r\nthree", bytearray(), []
    for start in range(0, len(whole), size):
        found += batches.lines_of(held, whole[start : start + size])
    assert found == [b"one", b"two"] and bytes(held) == b"three"
    assert list(batches.lines_of(held, b"\n")) == [b"three"] and not held


def test_batch_line_without_an_end_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_LINE_BYTES", 3)
    with pytest.raises(ValueError):
        list(batches.lines_of(bytearray(), b"abcd"))
