"""What the provider keeps of responses and chat completions, whole and streamed, whatever their form is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.stored_refs import of_completion, of_response
from softix_proxy.dialects.registry import ENDPOINTS

OUTPUT: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs", "summary": []},
    {"type": "code_interpreter_call", "id": "ci", "container_id": "cntr"},
    {"type": "file_search_call", "id": "fs", "results": [{"file_id": "f1", "text": "x"}]},
    {
        "type": "message",
        "id": "msg",
        "content": [{"type": "output_text", "text": "x", "annotations": [{"file_id": "f2", "container_id": "cntr"}]}],
    },
]
RESPONSE = {"id": "resp", "conversation": {"id": "conv"}, "output": OUTPUT}
STORED = {
    ("response", "resp"),
    ("conversation", "conv"),
    *(("item", name) for name in ("rs", "ci", "fs", "msg")),
    ("container", "cntr"),
    ("cited_file", "f1"),
    ("cited_file", "f2"),
}


def event(kind: str, **response: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps({"type": kind, "response": response}, separators=(",", ":")).encode()


def test_response_keeps_itself_its_items_and_what_they_name() -> None:
    assert set(of_response(json.dumps(RESPONSE).encode())) == STORED


def test_response_that_was_not_stored_keeps_nothing() -> None:
    assert of_response(json.dumps({**RESPONSE, "store": False}).encode()) == ()


def test_stream_keeps_what_its_events_have_told() -> None:
    meter = ENDPOINTS["responses"].stream(hide_usage=False)
    meter.feed(event("response.created", id="resp", output=[]))
    assert [tuple(ref) for ref in meter.stored_refs] == [("response", "resp")]
    meter.feed(event("response.completed", **RESPONSE, usage={"input_tokens": 1, "output_tokens": 1}))
    assert set(meter.stored_refs) == STORED


@pytest.mark.parametrize(
    "output", [[{"id": "i", "content": "another form"}], [{"id": "i", "results": {"a": 1}}], [{"id": "i"}, {"id": 7}]]
)
def test_response_of_another_form_still_keeps_its_items(output: Any) -> None:
    assert ("item", "i") in of_response(json.dumps({"id": "resp", "output": output}).encode())


def test_item_whose_name_is_broken_utf8_is_left_out_and_the_others_are_kept() -> None:
    output = b'[{"id":"\xc3\xd2","content":7},{"id":"i"},{"content":[]}]'
    assert of_response(b'{"id":"resp","output":%b}' % output) == (("response", "resp"), ("item", "i"))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id":7}', b'{"id":"a b"}', b'{"output":1}'])
def test_answer_without_a_name_keeps_nothing(body: bytes) -> None:
    assert of_response(body) == of_completion(body) == ()


def test_completion_keeps_itself_and_what_it_spoke() -> None:
    choices = [{"message": {"audio": {"id": "a", "data": "x"}}}, {"message": {"content": "x"}}]
    answer = json.dumps({"id": "c", "choices": choices}).encode()
    assert of_completion(answer) == (("completion", "c"), ("audio", "a"))


def test_streamed_completion_keeps_what_it_spoke() -> None:
    meter = ENDPOINTS["chat_completions"].stream(hide_usage=False)
    for audio in ({"id": "a"}, {"data": "x"}, {"id": "a"}):
        meter.feed(b"data: %b\n\n" % json.dumps({"id": "c", "choices": [{"delta": {"audio": audio}}]}).encode())
    assert set(meter.stored_refs) == {("completion", "c"), ("audio", "a")}
