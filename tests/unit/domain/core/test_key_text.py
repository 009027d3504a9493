from softix_proxy.domain.core.key_text import KEY_HEAD, KEY_PREFIX_LETTERS, TOKEN_HEAD, without_keys
from softix_proxy.vault.api_keys import ApiKeys


def test_text_without_keys_has_the_prefix_of_each() -> None:
    key, other = ApiKeys(b"p" * 32).new(), ApiKeys(b"p" * 32).new()
    assert without_keys(f"no key '{key.text}' or {other.text}") == f"no key '{key.prefix}' or {other.prefix}"
    assert key.prefix.startswith(KEY_HEAD) and len(key.prefix) == KEY_PREFIX_LETTERS


def test_text_without_keys_is_the_text_itself_if_it_has_none() -> None:
    for text in ("", "no key 'ci'", "sx_live_…", "sx_live_abcd"):
        assert without_keys(text) == text


def test_text_without_tokens_has_the_prefix_of_each() -> None:
    token = ApiKeys(b"p" * 32, TOKEN_HEAD).new()
    assert without_keys(f"no token '{token.text}'") == f"no token '{token.prefix}'"
