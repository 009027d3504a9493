import pytest

from softix_proxy.dialects.request.charsets import require_utf8
from softix_proxy.domain.core.errors import Code, RefusedError


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"; profile=x',
        "Application/JSON; Charset = utf8",
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=charge",
    ],
)
def test_content_type_in_utf8_or_without_a_charset_passes(content_type: str) -> None:
    require_utf8(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/json; charset=UTF-16LE",
        "application/json; charset='utf-7'",
        "application/json; charset=us-ascii",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset=utf-8, text/plain; charset=utf-7",
        "application/json; charset*=utf-8''utf-7",
        "application/json; charset=utf-8utf-7",
        "application/json; charset",
        "application/json; charset=",
        "application/json\t;\tcharset=utf-7",
        "application/json; CHARSET=x-user-defined",
        "text/plain; charset=utf-32",
    ],
)
def test_content_type_with_another_charset_is_refused(content_type: str) -> None:
    with pytest.raises(RefusedError) as refused:
        require_utf8(content_type)
    assert refused.value.code is Code.UNSUPPORTED_MEDIA_TYPE
    assert "utf-7" not in refused.value.message.lower()
