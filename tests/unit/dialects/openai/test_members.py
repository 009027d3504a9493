from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType

import pytest
from support.sources import ROOT

from softix_proxy.dialects.openai import members
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.members import MemberClass
from softix_proxy.domain.core.errors import Code, RefusedError


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_members", ROOT / "scripts" / "check_members.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_member_that_the_installed_sdks_can_send_has_a_class(script: ModuleType) -> None:
    """Where this fails, a release can send more, and someone has to decide what it does to the bill."""
    found = list(script.found())
    assert len(found) > 250
    missing = [f"{endpoint} {name}" for endpoint, name, kind in found if kind is None]
    assert not missing, f"{', '.join(missing)}: decide what each does to the bill, in members.py of its dialect"


def test_every_endpoint_of_an_sdk_is_compared(script: ModuleType) -> None:
    compared = {name.partition(".")[0] for name in (*script.TYPES, *script.CONVERTERS)}
    assert ENDPOINTS.keys() - compared <= {"rerank", "rerank_v2", "stream_generate_content"}


def test_script_with_a_member_without_a_class_names_it_and_fails(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_members.py"])
    assert script.main() == 0
    monkeypatch.setitem(members.CHAT.classes, "verbosity", None)
    assert script.main() == 1
    assert capsys.readouterr().out == "chat_completions verbosity: no class; add it to members.py of its dialect\n"


@pytest.mark.parametrize(
    ("endpoint", "member"),
    [
        ("chat_completions", {"deferred": True}),
        ("responses", {"deferred": True}),
        ("responses", {"provider": {"order": ["dear"]}}),
        ("image_generations", {"svg": {"model": "dear"}}),
        ("image_generations", {"frame_count": 16}),
        ("image_generations", {"output_format": "gif"}),
        ("image_generations", {"output_format": "svg"}),
    ],
)
def test_mode_that_no_price_can_cover_is_refused(endpoint: str, member: dict[str, object]) -> None:
    with pytest.raises(RefusedError) as refused:
        ENDPOINTS[endpoint].read(json.dumps({"model": "m", "prompt": "x", **member}).encode())
    assert refused.value.code is Code.ENDPOINT_NOT_METERED


def test_key_of_a_cache_is_a_name_and_brings_no_input() -> None:
    assert members.RESPONSES.classes["prompt_cache_key"] is MemberClass.NAMES_OBJECT
    spec = ENDPOINTS["responses"].read(b'{"model":"m","input":"x","prompt_cache_key":"k"}')
    assert (spec.open_input, spec.unknown_members) == (False, 0)


def test_body_of_codex_has_no_unknown_members() -> None:
    body = dict.fromkeys(("instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "reasoning"))
    more = dict.fromkeys(("store", "stream", "include", "prompt_cache_key", "text", "client_metadata"))
    assert ENDPOINTS["responses"].read(json.dumps({"model": "m", **body, **more}).encode()).unknown_members == 0
