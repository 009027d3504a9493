from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.helpers
import pytest
from aiohttp import http_parser
from aiohttp.web_protocol import RequestHandler
from support.sources import ROOT, sources

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.server import aiohttp_internals as door

HERE = "softix_proxy/web/server/aiohttp_internals.py"
PUBLIC_MODULES = {"aiohttp", "aiohttp.web"}


def test_check_names_with_the_installed_release_passes() -> None:
    door.check_names()


def taken_away(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delattr(owner, name)
    with pytest.raises(FailureError) as refused:
        door.check_names()
    assert f"aiohttp=={door.TESTED}" in refused.value.remedy and "\n" not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in door._ATTRIBUTES.items() for name in names]
)
def test_check_names_with_a_release_without_an_attribute_is_refused(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = next(each for each in owner.__mro__ if name in vars(each))
    assert f"{owner.__name__} has no {name}" in taken_away(holder, name, monkeypatch)


@pytest.mark.parametrize(("owner", "name"), list(door._ARGUMENTS))
def test_check_names_with_a_method_that_takes_other_arguments_is_refused(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(self: Any, one: Any, too: Any, many: Any) -> None: ...

    monkeypatch.setattr(owner, name, other)
    with pytest.raises(FailureError, match=f"{owner.__name__}.{name} takes other arguments"):
        door.check_names()
    monkeypatch.setattr(owner, name, None)
    with pytest.raises(FailureError, match=f"{owner.__name__} has no method {name}"):
        door.check_names()


def test_check_names_with_a_connection_without_an_option_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(self: Any, manager: Any, *, loop: Any) -> None: ...

    monkeypatch.setattr(RequestHandler, "__init__", made)
    with pytest.raises(FailureError, match="a connection takes no access_log"):
        door.check_names()


def test_check_names_with_the_slow_parser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        __module__ = "aiohttp.http_parser"

    monkeypatch.setattr(http_parser, "HttpRequestParser", Slow)
    with pytest.raises(FailureError, match="C parser"):
        door.check_names()


def test_import_with_a_release_that_lacks_a_module_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any check could run: the file is loaded anew."""
    monkeypatch.delattr(aiohttp.helpers, "rfc822_formatted_time")
    spec = importlib.util.spec_from_file_location("door_loaded_anew", ROOT / HERE)
    assert spec is not None and spec.loader is not None
    with pytest.raises(FailureError, match=f"aiohttp {aiohttp.__version__} is not as softix needs it"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def private_uses(place: str, tree: ast.Module) -> list[str]:
    names = {name for each in door._ATTRIBUTES.values() for name in each if name.startswith("_")}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aiohttp":
            found += [f"{place}:{node.lineno}: {node.module}"] if node.module not in PUBLIC_MODULES else []
            found += [f"{place}:{node.lineno}: {a.name}" for a in node.names if a.name in ("http_parser", "helpers")]
        elif isinstance(node, ast.Attribute) and node.attr in names:
            found.append(f"{place}:{node.lineno}: {node.attr}")
    return found


def test_private_names_of_aiohttp_are_used_in_one_module_only() -> None:
    rooms = [source for source in sources("softix_proxy") if "/web/" in source.place or "/demo/" in source.place]
    found = [line for source in rooms if source.place != HERE for line in private_uses(source.place, source.tree)]
    assert not found, "\n".join([*found, f"instead: a public name in {Path(HERE).name}"])
    bad = ast.parse(
        "from aiohttp.web_protocol import RequestHandler\nx._request_count\nfrom aiohttp import http_parser"
    )
    assert len(private_uses("bad.py", bad)) == 3


async def test_continue_response_is_not_counted_in_the_output_size() -> None:
    class Writer:
        output_size = 0
        written = b""

        async def write(self, data: bytes) -> None:
            self.written += data
            self.output_size += len(data)

    class Request:
        writer = Writer()

    request: Any = Request()
    await door.send_continue(request)
    assert (request.writer.written, request.writer.output_size) == (b"HTTP/1.1 100 Continue\r\n\r\n", 0)


def test_dependency_range_of_aiohttp_begins_with_the_tested_release() -> None:
    assert f'"aiohttp>={door.TESTED},<' in (ROOT / "pyproject.toml").read_text("utf-8")
