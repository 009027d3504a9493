import json

import pytest

from softix_proxy.dialects.core.deployments import with_model
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import RefusedError

CHAT, SOUND = ENDPOINTS["chat_completions"], ENDPOINTS["transcriptions"]


def part(name: str, value: str) -> str:
    return f'--b1\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


FILE = '--b1\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nsound'
"""Its end is still to come."""


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"messages": [1.0]}', b'{"messages":[1.0],"model":"a/b"}'),
        (b'{"model": "other", "n":1}', b'{"model":"a/b","n":1}'),
        (b'{"model":null}', b'{"model":"a/b"}'),
        (b'{ "model": "a/b" }', b'{ "model": "a/b" }'),
    ],
)
def test_body_with_another_model_gets_the_model_of_the_path(body: bytes, changed: bytes) -> None:
    assert with_model(CHAT, body, "a/b") == changed


def test_changed_body_when_read_by_the_endpoint_has_the_model_of_the_path() -> None:
    spec = CHAT.read(with_model(CHAT, json.dumps({"messages": []}).encode(), "mine"))
    assert spec.model == "mine"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model":"a","model":"b"}', b'{"Model":"a"}'])
def test_body_without_one_clear_model_place_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        with_model(CHAT, body, "mine")


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        (part("model", "other") + FILE, part("model", "mine") + FILE),
        (FILE, part("model", "mine") + FILE),
        (part("language", "de") + FILE, part("model", "mine") + part("language", "de") + FILE),
    ],
)
def test_form_with_or_without_a_model_gets_the_model_of_the_path(form: str, changed: str) -> None:
    found = with_model(SOUND, form.encode(), "mine")
    assert found == changed.encode()
    assert SOUND.read(found).model == "mine"
