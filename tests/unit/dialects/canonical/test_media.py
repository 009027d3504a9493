from __future__ import annotations

import pytest

from softix_proxy.dialects.canonical.media import from_url, guess_mime, kind_of, to_url
from softix_proxy.dialects.canonical.types import MediaPart
from softix_proxy.domain.core.errors import RefusedError


@pytest.mark.parametrize("url", ["data:image/png;base64,AAAA", "https://example.org/a.png"])
def test_media_url_after_reading_and_writing_is_the_same(url: str) -> None:
    assert to_url(from_url(url, "image")) == url


def test_data_url_with_parameters_is_read_and_without_base64_is_refused() -> None:
    assert from_url("data:text/plain;charset=utf-8;base64,AA", "document") == MediaPart("document", "text/plain", "AA")
    with pytest.raises(RefusedError, match="base64"):
        from_url("data:text/plain,hello", "document")


def test_media_kind_and_type_are_known_from_the_mime_type_or_the_address() -> None:
    assert [kind_of(mime) for mime in ("image/png", "audio/wav", "video/mp4", "application/pdf", "")] == [
        "image",
        "audio",
        "video",
        "document",
        "document",
    ]
    assert guess_mime(MediaPart("image", url="https://example.org/a.JPG?x=1")) == "image/jpeg"
    assert guess_mime(MediaPart("image", "image/webp", url="https://example.org/a.jpg")) == "image/webp"
    assert guess_mime(MediaPart("document", url="https://example.org/a")) == ""
