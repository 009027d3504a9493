import math
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.key_text import KEY_HEAD, TOKEN_HEAD
from softix_proxy.vault.api_keys import ApiKeys


@pytest.fixture(scope="module")
def api_keys() -> ApiKeys:
    return ApiKeys(secrets.token_bytes(32))


def test_new_api_key_is_found_by_its_digest(api_keys: ApiKeys) -> None:
    key = api_keys.new()
    assert re.fullmatch(r"sx_live_[0-9A-Za-z]{33}", key.text)
    assert key.prefix == key.text[:12]
    assert api_keys.digest(key.text) == key.digest
    assert len(key.digest) == 32
    assert 27 * math.log2(62) >= 160


def test_api_keys_differ_and_are_not_shown(api_keys: ApiKeys) -> None:
    keys = [api_keys.new() for _ in range(100)]
    assert len({key.text for key in keys}) == len({key.digest for key in keys}) == 100
    for key in keys:
        assert key.text not in repr(key)
        assert repr(key.digest) not in repr(key)


def test_api_key_digest_with_another_pepper_differs(api_keys: ApiKeys) -> None:
    key = api_keys.new()
    assert ApiKeys(secrets.token_bytes(32)).digest(key.text) not in (key.digest, None)


def test_api_key_with_a_typing_error_is_refused(api_keys: ApiKeys) -> None:
    text = api_keys.new().text
    for at in range(len(text)):
        other = "b" if text[at] == "a" else "a"
        assert api_keys.digest(text[:at] + other + text[at + 1 :]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace("sx_live_", "sk-live-"),
        lambda text: text[:10] + "é" + text[11:],
        lambda text: text[:10] + "٣" + text[11:],
        lambda text: text[:10] + "\x00" + text[11:],
    ],
)
def test_api_key_of_another_form_is_refused(api_keys: ApiKeys, change: object) -> None:
    assert callable(change)
    assert api_keys.digest(change(api_keys.new().text)) is None


@given(st.text(max_size=60))
def test_arbitrary_text_is_refused_as_an_api_key_without_an_error(text: str) -> None:
    assert ApiKeys(b"pepper").digest(text) is None


def test_key_of_one_kind_is_none_of_the_other() -> None:
    pepper = secrets.token_bytes(32)
    keys, tokens = ApiKeys(pepper), ApiKeys(pepper, TOKEN_HEAD)
    key, token = keys.new(), tokens.new()
    assert re.fullmatch(r"sx_admin_[0-9A-Za-z]{33}", token.text) and token.prefix == token.text[:13]
    assert tokens.digest(token.text) == token.digest and keys.digest(key.text) == key.digest
    assert keys.digest(token.text) is None and tokens.digest(key.text) is None
    for text in (token.text.replace(TOKEN_HEAD, KEY_HEAD), key.text.replace(KEY_HEAD, TOKEN_HEAD)):
        assert keys.digest(text) is None and tokens.digest(text) is None
