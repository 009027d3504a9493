from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from softix_proxy.dialects.core.hosted_work import hosted_work

SEARCH = {"type": "web_search_call", "action": {"type": "search", "query": "rivers"}}


def worked(*items: Any, usage: Any = None) -> Any:
    return hosted_work(msgspec.Raw(json.dumps(items).encode()), usage)


def test_hosted_work_without_a_usage_report_counts_the_items() -> None:
    looks = [{"type": "web_search_call", "action": {"type": kind}} for kind in ("open_page", "find_in_page")]
    assert worked(SEARCH, SEARCH, *looks, {"type": "file_search_call"}) == (
        {"web_search_calls": 2, "tool_calls": 1},
        (),
    )


@pytest.mark.parametrize(("reported", "calls"), [(1, {"web_search_calls": 1}), (0, {}), ("3", {"web_search_calls": 3})])
def test_hosted_work_with_a_usage_report_counts_it_instead_of_the_items(reported: Any, calls: dict[str, int]) -> None:
    assert worked(SEARCH, SEARCH, usage={"web_search": {"num_requests": reported}}) == (calls, ())


@pytest.mark.parametrize("usage", [None, [], {}, {"web_search": None}, {"web_search": {"num_requests": -1}}])
def test_hosted_work_with_an_odd_usage_report_counts_the_items(usage: Any) -> None:
    assert worked(SEARCH, usage=usage) == ({"web_search_calls": 1}, ())


@pytest.mark.parametrize(
    ("items", "usage", "unpriced"),
    [
        ([{"type": "image_generation_call"}], None, ("image_generation",)),
        ([], {"image_gen": {"input_tokens": 30, "output_tokens": 4160, "total_tokens": 4190}}, ("image_generation",)),
        ([{"type": "image_generation_call"}], {"image_gen": {"total_tokens": 0}}, ("image_generation",)),
        ([{"type": "code_interpreter_call"}] * 2, None, ("code_interpreter",)),
        ([{"type": "shell_call", "environment": {"type": "container_reference"}}], None, ("shell",)),
        ([{"type": "wombat_call"}], {"wombats": {"num_requests": 2}}, ("unknown_tool",)),
        ([], {"image_gen": {"total_tokens": 0}, "web_search": {"num_requests": 0}}, ()),
        ([{"type": "shell_call", "environment": {"type": "local"}}, {"type": "shell_call"}], None, ()),
        (
            [{"type": f"{name}_call"} for name in ("function", "custom_tool", "computer", "local_shell", "mcp")],
            None,
            (),
        ),
        ([{"type": name} for name in ("message", "reasoning", "compaction", "function_call_output")], None, ()),
    ],
)
def test_hosted_work_without_a_meter_is_named_as_unpriced(items: Any, usage: Any, unpriced: tuple[str, ...]) -> None:
    assert worked(*items, usage=usage) == ({}, unpriced)


def test_hosted_work_without_an_output_list_counts_only_the_usage_report() -> None:
    assert hosted_work(msgspec.Raw(), {"web_search": {"num_requests": 2}}) == ({"web_search_calls": 2}, ())
    assert hosted_work(msgspec.Raw(b'{"a": 1}'), None) == ({}, ())
