from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.web.portal.core.page import NewCookie, PageRequest


def request(**more: Any) -> PageRequest:
    nothing: Any = None
    return PageRequest(
        "/",
        {},
        {},
        {"password": "hunter2"},
        0,
        "203.0.113.9",
        "",
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        **more,
    )


def test_public_page_has_no_viewer() -> None:
    assert not request().is_signed_in
    with pytest.raises(LookupError):
        _ = request().viewer


def test_what_was_sent_is_in_no_repr() -> None:
    shown = repr(request(cookie="t0ken", body=b"hunter2", headers={"a": "t0ken"}, lists={"p": ("hunter2",)}))
    for secret in ("hunter2", "t0ken", "203.0.113.9"):
        assert secret not in shown
    assert "t0ken" not in repr(NewCookie("t0ken"))
