from __future__ import annotations

import pytest

from softix_proxy.web.portal.core.return_path import is_own_path, safe_path, with_return


@pytest.mark.parametrize("path", ["/", "/keys", "/usage?key=key_1&from=2026-01-01", "/keys/key_1", "/a%20b"])
def test_path_of_the_portal_is_kept(path: str) -> None:
    assert safe_path(path) == path
    assert is_own_path(path)


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "keys",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: a=b",
        " /keys",
        "/keys#a",
        "/\u2028",
        "/" + "a" * 600,
    ],
)
def test_path_that_leads_elsewhere_becomes_the_first_page(path: str | None) -> None:
    assert safe_path(path) == "/"
    assert path is None or not is_own_path(path)


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in?next=/keys", "/sign-out", "/verify?token=a", "/static/portal.css"]
)
def test_page_to_which_nobody_comes_back_becomes_the_first_page(path: str) -> None:
    assert safe_path(path) == "/"


def test_page_with_a_return_has_the_path_in_its_query() -> None:
    assert with_return("/sign-in", "/usage?a=b&c=d") == "/sign-in?next=%2Fusage%3Fa%3Db%26c%3Dd"
    assert with_return("/sign-in", "//evil.example") == "/sign-in"
