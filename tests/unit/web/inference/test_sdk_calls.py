import functools
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from support.sources import ROOT

from softix_proxy.web.inference import sdk_calls
from softix_proxy.web.inference.sdk_calls import can_call, first_words, known


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sdk_calls", ROOT / "scripts" / "make_sdk_calls.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.read_all = functools.cache(module.read_all)  # type: ignore[attr-defined] # reads six hundred files
    return module


def test_recorded_calls_contain_every_call_of_the_installed_client_libraries(script: ModuleType) -> None:
    """An older one may have less. Where this fails, a release has more, and someone has to look at what it is."""
    found: Mapping[str, Mapping[str, list[str]]] = script.read_all()
    assert found.keys() == known().keys()
    more = {sdk: sorted(set(told["calls"]) - set(known()[sdk])) for sdk, told in found.items()}
    assert not any(more.values()), f"{more}\ninstead: python scripts/make_sdk_calls.py"
    assert all(len(told["calls"]) > 90 for told in found.values())


@pytest.mark.parametrize("changed", [True, False])
def test_recording_script_with_check_reports_a_changed_file(
    script: ModuleType, changed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text, copy = script.written(script.read_all()), tmp_path / "sdk_calls.json"
    copy.write_text(text.replace("GET agents", "GET wombats") if changed else text)
    monkeypatch.setattr(script, "PLACE", copy)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["make_sdk_calls.py", "--check"])
    assert script.main() == int(changed)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/agents"),
        ("HEAD", "/agents"),
        ("GET", "/Agents/a"),
        ("POST", "/models/m:predict"),
        ("GET", "/files/f:download"),
        ("GET", "/models/m/operations/o"),
        ("GET", "/chat/completions/c/messages"),
        ("GET", "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"),
    ],
)
def test_can_call_with_a_path_of_a_client_library_is_true(method: str, path: str) -> None:
    assert can_call(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/agents"), ("GET", "/wombats"), ("POST", "/models/:predict"), ("GET", "/"), ("GET", "/agents/a/b/c/d/e")],
)
def test_can_call_with_a_path_of_no_client_library_is_false(method: str, path: str) -> None:
    assert not can_call(method, path)


def test_recorded_calls_after_the_first_use_are_cached() -> None:
    assert {"agents", "sessions", "chatkit"} <= first_words()
    assert sdk_calls.known.cache_info().currsize == 1
