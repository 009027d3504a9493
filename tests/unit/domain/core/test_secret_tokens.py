import hashlib
import re

from softix_proxy.domain.core.secret_tokens import new_token, token_digest


def test_token_has_256_random_bits_in_letters_of_urls_and_cookies() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100 and all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in made)


def test_digest_of_a_token_is_its_sha_256_and_of_any_other_text_too() -> None:
    token = new_token()
    assert token_digest(token) == hashlib.sha256(token.encode()).digest()
    assert len({token_digest("\ud800"), token_digest(""), token_digest(token)}) == 3
