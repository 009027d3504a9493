"""Makes softix_proxy/data/sdk_calls.json: every call of the providers' own SDKs, read from their source.

    python scripts/make_sdk_calls.py            write the file, from the SDKs that are installed
    python scripts/make_sdk_calls.py --check    fail if the file is not what they say

By it softix tells what a provider has and softix cannot meter from what nobody has. Nothing is run: the modules of
resources are parsed, and what stands where a path stands is read. A path that cannot be read is an error, not a gap.
A call is written as its method and the parts of its path; `{}` stands for a name.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "softix_proxy" / "data" / "sdk_calls.json"
METHODS = {
    "_get": "GET",
    "_get_api_list": "GET",
    "_post": "POST",
    "_put": "PUT",
    "_patch": "PATCH",
    "_delete": "DELETE",
}
"""Of OpenAI's and Anthropic's SDKs, which one generator makes."""
ASKED_ELSEWHERE = ("batch.results_url",)
"""What stands for an address that an answer told."""
GOOGLES_CALLS = ("request", "async_request", "request_streamed", "async_request_streamed")
GOOGLES_DOWNLOADS = ("download_file", "async_download_file")
"""What it uploads goes to an address that an answer told."""
GOOGLES_PATHS = {"path", "download_path", "endpoint_url"}
NAMES = {
    "batches": "batches/{}",
    "caches": "cachedContents/{}",
    "documents": "fileSearchStores/{}/documents/{}",
    "file_search_stores": "fileSearchStores/{}",
    "models": "models/{}",
    "tunings": "tunedModels/{}",
}
"""Google's module → what the name of one of its things is, which a path may begin with."""
PARENTS = {"documents": "fileSearchStores/{}", "tunings": "projects/{}/locations/{}"}
"""The same of what they are in."""
BEGINNINGS = {
    "model": "models/{}",
    "models_url": "models",
    "file_search_store_name": "fileSearchStores/{}",
    "operationName": "models/{}/operations/{}",
    "resourceName": "models/{}/operations/{}",
    "env_name": "environments/{}",
    "clean_id": "fileSearchStores/{}/media/{}",
}
"""A variable that one of Google's paths begins with → what it stands for."""
SOCKETS = re.compile(r"/ws/.+")
VERSION = re.compile(r"^(/upload)?/(v1|\{[^}]*version\})(?=/)")
VARIABLE = re.compile(r"\{[^{}]*\}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the list of what the providers' SDKs can call.")
    parser.add_argument("--check", action="store_true", help="fail if the file is not what the SDKs say")
    asked = parser.parse_args()
    text = written(read_all())
    if not asked.check:
        PLACE.write_text(text, "utf-8")
        return 0
    if not PLACE.exists() or PLACE.read_text("utf-8") != text:
        print(f"{PLACE.relative_to(ROOT)} is not what the installed SDKs say: python scripts/make_sdk_calls.py")
        return 1
    return 0


def written(found: Mapping[str, Mapping[str, object]]) -> str:
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def read_all() -> dict[str, dict[str, object]]:
    """SDK → its version and its calls. Exits where a path cannot be read."""
    calls = {
        "anthropic": read_generated("anthropic"),
        "google-genai": read_google(),
        "openai": read_generated("openai"),
    }
    return {
        name: {"version": version(name), "calls": sorted(each.replace(" /", " ").replace("/", " ") for each in found)}
        for name, found in calls.items()
    }


def read_generated(package: str) -> set[str]:
    found: set[str] = set()
    for place, tree in modules(folder_of(package) / "resources"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                found |= call(METHODS[node.func.attr], place, node.args[0] if node.args else None)
            elif isinstance(node, ast.FunctionDef) and node.name == "_prepare_url":  # of a WebSocket
                found |= {f"GET {plain(path)}" for path in texts(node) if path.startswith("/") and len(path) > 1}
    return found


def call(method: str, place: str, path: ast.expr | None) -> set[str]:
    text = None if path is None else text_of(path)
    if text is not None:
        return {f"{method} {plain(text)}"}
    shown = "" if path is None else ast.unparse(path)
    if any(elsewhere in shown for elsewhere in ASKED_ELSEWHERE):
        return set()
    raise SystemExit(f"{place}: no path can be read of {shown!r}; teach scripts/make_sdk_calls.py")


def read_google() -> set[str]:
    found: set[str] = set()
    for place, tree in modules(folder_of("google.genai")):
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and (socket := SOCKETS.search(text_of(node) or "")):
                found.add(f"GET {plain(socket[0])}")
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found |= googles_calls(place, node)
            elif isinstance(node, ast.Call):  # of the part that another generator makes
                told = {word.arg: text_of(word.value) for word in node.keywords}
                if told.get("path") and told.get("method"):
                    found.add(f"{told['method']} {plain(str(told['path']))}")
    return found


def googles_calls(place: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Each function of the modules of resources sets `path`, and then hands it to one request."""
    methods, nodes = set(), list(ast.walk(function))
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on_client = isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "_api_client"
            if on_client and node.func.attr in GOOGLES_CALLS and node.args:
                methods.add(str(text_of(node.args[0])).upper())
            elif on_client and node.func.attr in GOOGLES_DOWNLOADS:
                methods.add("GET")
    paths = {
        text
        for node in nodes
        if isinstance(node, ast.Assign) and GOOGLES_PATHS & {ast.unparse(target) for target in node.targets}
        if (text := text_of(node.value)) is not None and not text.startswith("{path}")
    }
    if methods and not paths and "path" in {node.id for node in nodes if isinstance(node, ast.Name)}:
        raise SystemExit(f"{place}: no path can be read in {function.name}; teach scripts/make_sdk_calls.py")
    return {f"{method} {plain(beginning(place, path))}" for method in methods for path in paths}


def beginning(place: str, path: str) -> str:
    """With what a variable at the start of a path stands for."""
    match = re.match(r"\{(\w+)\}", path)
    if match is None:
        return f"/{path}"
    module, name = place.rpartition("/")[2].removesuffix(".py"), match[1]
    stands_for = {"name": NAMES, "parent": PARENTS}.get(name, {}).get(module, BEGINNINGS.get(name))
    if stands_for is None:
        raise SystemExit(f"{place}: what does {{{name}}} stand for? Teach scripts/make_sdk_calls.py")
    return f"/{stands_for}{path[match.end() :]}"


def plain(path: str) -> str:
    """Without a version and a query; `{}` stands for whatever is put in."""
    path = VERSION.sub(lambda match: f"{match[1]}/{{}}" if match[1] else "", path.partition("?")[0])
    return VARIABLE.sub("{}", path)


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def text_of(node: ast.expr) -> str | None:
    """A text, a template, or what is filled into one; None where it is only known when it runs."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}" for part in node.values
        ]
        return "".join(map(str, parts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "path_template":
        return text_of(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format_map":
        found = text_of(node.func.value)
        return None if found is None else found.replace("{{", "{").replace("}}", "}")
    return None


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Without the tests that an SDK comes with."""
    for path in sorted(folder.rglob("*.py")):
        if "tests" not in path.relative_to(folder).parts:
            yield path.as_posix(), ast.parse(path.read_text("utf-8"))


def folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install -e '.[test]'")
    return Path(spec.origin).parent


if __name__ == "__main__":
    sys.exit(main())
