from __future__ import annotations

from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.tools import as_custom_call, as_function, as_function_call, chosen
from softix_proxy.dialects.canonical.types import TextPart, ToolCall, ToolChoice, ToolDefinition

A, B = ToolDefinition("a"), ToolDefinition("b")


def test_chosen_tools_with_an_allowed_list_are_only_the_allowed_ones() -> None:
    some, one = ToolChoice("auto", ["b"]), ToolChoice("required", ["b"])
    assert chosen([A, B], None) == ([A, B], None)
    assert chosen([A, B], some) == ([B], some)
    assert chosen([A, B], one) == ([A, B], one)


def test_custom_tool_as_function_takes_one_text() -> None:
    _, lost = losses("responses", "messages")
    tool = as_function(
        ToolDefinition("p", "Patches.", custom=True, grammar={"syntax": "lark", "definition": "start: X"}), lost
    )
    assert tool.schema
    assert tool.schema["required"] == ["input"]
    assert "start: X" in tool.description
    assert list(lost.found) == ["custom_tools"]
    assert as_function(A, lost) is A


def test_custom_call_as_function_call_and_back_is_the_same() -> None:
    call = ToolCall("c", "p", 'a "patch"\n', custom=True)
    assert as_function_call(call).arguments == '{"input":"a \\"patch\\"\\n"}'
    assert as_custom_call(as_function_call(call)) == call
    assert as_custom_call(ToolCall("c", "p", "not json")) == ToolCall("c", "p", "not json", custom=True)
    assert as_custom_call(TextPart("a")) == TextPart("a")
