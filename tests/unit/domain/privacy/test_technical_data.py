from __future__ import annotations

import pytest

from softix_proxy.domain.privacy.technical_data import CallOrigin, checked_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("fe80::1%a-word-of-somebody", "fe80::1"),
        ("a-word-of-somebody", ""),
        ("192.0.2.7, 192.0.2.8", ""),
        ("", ""),
    ],
)
def test_address_has_one_form_and_holds_no_other_text(text: str, address: str) -> None:
    assert checked_address(text) == address


def test_origin_shows_no_address() -> None:
    assert "192.0.2.7" not in repr(CallOrigin("192.0.2.7"))
