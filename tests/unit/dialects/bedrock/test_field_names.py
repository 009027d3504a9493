from __future__ import annotations

from softix_proxy.dialects.bedrock.field_names import FORMATS, MIMES


def test_image_formats_and_mime_types_match_each_other() -> None:
    assert {FORMATS["image"][mime]: mime for mime in MIMES.values()} == MIMES
    assert set(FORMATS["image"].values()) == MIMES.keys()
