from typing import Any

import pytest

from softix_proxy.web.router.path_patterns import NO_ENTRY, PathPatterns
from softix_proxy.web.router.route import ANY, WEBSOCKET, Auth, Route


async def nobody(context: Any) -> Any:
    raise AssertionError("nobody asks here")


def row(method: str, pattern: str, **more: Any) -> Route:
    return Route(method, pattern, nobody, Auth.PUBLIC, label=f"{method} {pattern}", **more)


def found(patterns: PathPatterns, path: str, method: str = "GET") -> tuple[str, str]:
    """The row's label, and the name in the path."""
    entry, name = patterns.find(path)
    route = entry.route(method, "openai")
    return "" if route is None else route.label, name


NAMED = PathPatterns(
    [
        row("GET", "/things"),
        row("GET", "/things/{id}"),
        row("GET", "/things/{id}/parts"),
        row("GET", "/things/{rest:path}"),
        row("POST", "/Models/{model:path}:Run"),
    ]
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/things", ("GET /things", "")),
        ("/things/a", ("GET /things/{id}", "a")),
        ("/things/a/parts", ("GET /things/{id}/parts", "a")),
        ("/things/a/PARTS", ("GET /things/{id}/parts", "a")),
        ("/things/a/parts/b", ("GET /things/{rest:path}", "a/parts/b")),
        ("/things/parts", ("GET /things/{id}", "parts")),
        ("/thing", ("", "")),
        ("/thingsomething", ("", "")),
        ("/", ("", "")),
    ],
)
def test_path_that_matches_several_patterns_takes_the_most_specific_one(path: str, expected: tuple[str, str]) -> None:
    assert found(NAMED, path) == expected


@pytest.mark.parametrize(("path", "name"), [("/Models/a/b:run", "a/b"), ("/Models/:run", ""), ("/Models/a", "")])
def test_path_with_a_name_between_two_texts_returns_the_name(path: str, name: str) -> None:
    assert found(NAMED, path, "POST")[1] == name


def test_websocket_request_without_its_own_route_uses_the_get_route() -> None:
    patterns = PathPatterns(
        [row("GET", "/a"), row("GET", "/b"), row(WEBSOCKET, "/b"), row(ANY, "/c"), row("PUT", "/d")]
    )
    served = {path: found(patterns, path, WEBSOCKET)[0] for path in ("/a", "/b", "/c", "/d")}
    assert served == {"/a": "GET /a", "/b": "WEBSOCKET /b", "/c": "* /c", "/d": ""}


def test_any_method_route_serves_methods_without_their_own_route() -> None:
    patterns = PathPatterns([row("GET", "/a"), row(ANY, "/a")])
    assert (found(patterns, "/a", "GET")[0], found(patterns, "/a", "PATCH")[0]) == ("GET /a", "* /a")


def test_route_for_some_families_is_missing_for_the_others() -> None:
    entry, _ = PathPatterns([row("GET", "/a", families=("openai", "gemini")), row("PUT", "/a")]).find("/a")
    assert entry.route("GET", "gemini") is not None and entry.route("GET", "anthropic") is None
    assert entry.methods("gemini") == {"GET", "PUT"} and entry.methods("anthropic") == {"PUT"}


def test_path_patterns_with_two_routes_for_one_method_are_refused() -> None:
    with pytest.raises(ValueError, match="GET /a"):
        PathPatterns([row("GET", "/a"), row("GET", "/a")])


def test_path_patterns_return_their_fixed_paths_and_folders() -> None:
    assert NAMED.fixed == ("/things",) and set(NAMED.folders) == {"/things/", "/Models/"}
    assert PathPatterns([]).find("/") == (NO_ENTRY, "")
