from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.core.written import written_text

TEXT = "The Rhine."


def chat(message: Any, **more: Any) -> Any:
    return {"id": "x" * 99, "choices": [{"message": message, "logprobs": {"content": [{"token": TEXT}] * 50}, **more}]}


def item(**fields: Any) -> Any:
    return {"output": [fields], "instructions": TEXT * 9, "text": {"format": {"type": "text"}}, "metadata": {"a": TEXT}}


@pytest.mark.parametrize(
    "answer",
    [
        chat({"content": TEXT, "images": [{"image_url": {"url": "data:image/png;base64," + "A" * 900}}]}),
        chat({"content": [{"type": "text", "text": TEXT}]}),
        chat({"content": None, "reasoning": TEXT, "reasoning_content": TEXT, "reasoning_details": [{"text": TEXT}]}),
        chat({"refusal": TEXT}),
        chat({"audio": {"data": "A" * 900, "transcript": TEXT}}),
        chat({"tool_calls": [{"id": "call_1", "function": {"name": "find", "arguments": TEXT}}]}),
        {"choices": [{"text": TEXT, "index": 0}]},
        item(type="message", content=[{"type": "output_text", "text": TEXT, "annotations": [{"url": "u" * 99}]}]),
        item(type="reasoning", summary=[{"type": "summary_text", "text": TEXT}], encrypted_content="A" * 99),
        item(type="function_call", arguments=TEXT, name="find", call_id="c" * 99),
        item(type="custom_tool_call", input=TEXT),
        item(type="mcp_call", arguments=TEXT, output="found" * 99),
        {"content": [{"type": "thinking", "thinking": TEXT, "signature": "A" * 99}]},
        {"content": [{"type": "text", "text": TEXT, "citations": [{"cited_text": "c" * 99}]}]},
        {"content": [{"type": "mcp_tool_result", "content": [{"type": "text", "text": TEXT * 9}]}, {"text": TEXT}]},
        {"candidates": [{"content": {"parts": [{"text": TEXT}, {"inlineData": {"data": "A" * 99}}]}}]},
        {"candidates": [{"content": {"parts": [{"executableCode": {"language": "PYTHON", "code": TEXT}}]}}]},
        {"output": {"message": {"content": [{"reasoningContent": {"reasoningText": {"text": TEXT}}}]}}},
        {"text": TEXT, "usage": {"seconds": 1}},
    ],
)
def test_written_text_of_each_answer_shape_has_only_the_output_of_the_model(answer: Any) -> None:
    assert written_text(json.dumps(answer).encode()) == TEXT


@pytest.mark.parametrize(
    "answer",
    [
        {"content": [{"type": "tool_use", "name": "find", "input": {"river": "Rhine"}}]},
        {"output": {"message": {"content": [{"toolUse": {"name": "find", "input": {"river": "Rhine"}}}]}}},
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "find", "args": {"river": "Rhine"}}}]}}]},
    ],
)
def test_written_text_of_tool_arguments_has_their_text(answer: Any) -> None:
    assert written_text(json.dumps(answer).encode()) == '{"river":"Rhine"}'


@pytest.mark.parametrize(
    "answer", [{}, {"data": [{"embedding": [0.5] * 99}]}, {"content": [{"type": "tool_use", "input": {}}]}, chat(None)]
)
def test_written_text_of_an_answer_without_text_is_empty(answer: Any) -> None:
    assert written_text(json.dumps(answer).encode()) == ""


def test_written_text_of_a_body_that_is_no_json_object_is_all_of_it() -> None:
    assert written_text(b"<html>") == "<html>" and written_text(b"[1]") == "[1]"


def test_written_text_of_non_ascii_or_deeply_nested_text_is_complete() -> None:
    assert written_text(json.dumps({"content": [{"text": "ä"}]}).encode()) == "ä"
    assert written_text(b'{"content": ' + b'{"content": ' * 500 + b'"a"' + b"}" * 501) == "a"
