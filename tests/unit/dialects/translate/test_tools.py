from __future__ import annotations

from softix_proxy.dialects.translate.canonical import TextPart, ToolCall, ToolChoice, ToolDefinition
from softix_proxy.dialects.translate.losses import losses
from softix_proxy.dialects.translate.tools import as_custom_call, as_function, as_function_call, chosen

A, B = ToolDefinition("a"), ToolDefinition("b")


def test_only_the_allowed_are_shown() -> None:
    some, one = ToolChoice("auto", ["b"]), ToolChoice("required", ["b"])
    assert chosen([A, B], None) == ([A, B], None)
    assert chosen([A, B], some) == ([B], some)
    assert chosen([A, B], one) == ([A, B], one)


def test_a_tool_that_takes_text_as_a_function_of_one_text() -> None:
    _, lost = losses("responses", "messages")
    tool = as_function(
        ToolDefinition("p", "Patches.", custom=True, grammar={"syntax": "lark", "definition": "start: X"}), lost
    )
    assert tool.schema
    assert tool.schema["required"] == ["input"]
    assert "start: X" in tool.description
    assert list(lost.found) == ["custom_tools"]
    assert as_function(A, lost) is A


def test_its_calls_there_and_back() -> None:
    call = ToolCall("c", "p", 'a "patch"\n', custom=True)
    assert as_function_call(call).arguments == '{"input":"a \\"patch\\"\\n"}'
    assert as_custom_call(as_function_call(call)) == call
    assert as_custom_call(ToolCall("c", "p", "not json")) == ToolCall("c", "p", "not json", custom=True)
    assert as_custom_call(TextPart("a")) == TextPart("a")
