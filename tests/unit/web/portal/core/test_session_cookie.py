from __future__ import annotations

import pytest

from softix_proxy.web.portal.core.session_cookie import CookieParts, read_cookie, write_cookie

NAME = "__Host-softix"


@pytest.mark.parametrize(
    "parts",
    [
        CookieParts("t0ken_-A"),
        CookieParts("t0ken", "usr_ada"),
        CookieParts("t0ken", "", "flash.saved"),
        CookieParts("t0ken", "usr_ada", "flash.saved"),
        CookieParts("", "", "flash.signed_out"),
    ],
)
def test_cookie_that_was_written_is_read_as_it_was(parts: CookieParts) -> None:
    value = write_cookie(parts, 60).partition(";")[0]
    assert read_cookie(f"other=1; {value}; more=2") == parts


def test_cookie_has_every_protection() -> None:
    assert write_cookie(CookieParts("t0ken"), 60) == (
        f"{NAME}=t0ken; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax"
    )


def test_cookie_without_a_token_ends_at_once_unless_it_has_a_message() -> None:
    assert write_cookie(CookieParts(), 3600).startswith(f"{NAME}=; Max-Age=0;")
    assert write_cookie(CookieParts("", "usr_ada"), 3600).startswith(f"{NAME}=; Max-Age=0;")
    assert write_cookie(CookieParts("", "", "flash.a"), 3600).startswith(f"{NAME}=~~flash.a; Max-Age=60;")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "softix=t0ken",
        f"{NAME}=a b",
        f"{NAME}=a~b~c~d",
        f'{NAME}="a"',
        f"{NAME}=" + "a" * 300,
        "__host-softix=a",
    ],
)
def test_cookie_that_softix_did_not_write_counts_as_none(header: str | None) -> None:
    assert read_cookie(header) == CookieParts()


def test_first_of_two_cookies_counts() -> None:
    assert read_cookie(f"{NAME}=a; {NAME}=b").token == "a"


def test_token_is_in_no_repr() -> None:
    assert "t0ken" not in repr(CookieParts("t0ken"))
