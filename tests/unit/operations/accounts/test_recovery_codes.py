import re

import pytest

from softix_proxy.operations.accounts.recovery_codes import digest, digests, new_codes, normalised


def test_new_codes_are_ten_of_eighty_random_bits() -> None:
    codes = new_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", code) for code in codes)
    assert not set(codes) & set(new_codes())


def test_code_is_read_as_people_write_it() -> None:
    assert normalised(" 7K2M 9xqd-Ofra\tw3hL ") == "7k2m9xqd0fraw3h1"


@pytest.mark.parametrize(
    "text", ["", "123456", "7k2m-9xqd-0fra-w3h", "7k2m-9xqd-0fra-w3htt", "7k2m-9xqd-0fra-w3hu", "é" * 16]
)
def test_text_that_is_no_code_is_none(text: str) -> None:
    assert normalised(text) is None


def test_digest_of_a_code_is_another_one_for_each_account() -> None:
    [code, *_] = codes = new_codes()
    plain = normalised(code)
    assert plain is not None and digests(1, codes)[0] == digest(1, plain) != digest(2, plain)
    assert plain.encode() not in digest(1, plain) and len(digest(1, plain)) == 32
