from importlib.resources import files

import pytest

from softix_proxy.domain.accounts.passwords import MOST_BYTES, normalized, personal_words, require_usable, typed
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError

WORDS = personal_words("ada@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery staple",
        "  leading and trailing  ",
        "пароль-который-длинный",
        "👩‍💻👩‍💻 and a joiner",
        "tab\tand\nline and \x00",
        "12345678 but mine",
        "ééééèèèè",
        "x" * MOST_BYTES,
    ],
)
def test_password_of_any_letters_is_usable(text: str) -> None:
    """NIST SP 800-63B-4 3.1.1.2, ASVS 5 6.2.5 and 6.2.9: any letter, no composition, at least 64 of them."""
    assert normalized(text) == text
    require_usable(text, WORDS)


def test_password_is_neither_cut_nor_trimmed_nor_folded() -> None:
    """ASVS 5 6.2.8: it is verified exactly as it was received, but for equivalent letters."""
    for text in ("  Spaces  ", "MiXeD cAsE", "ﬁne ligature", "ｆｕｌｌｗｉｄｔｈ"):
        assert normalized(text) == text


def test_password_in_either_form_of_unicode_is_the_same() -> None:
    assert normalized("cafe\u0301-au-lait") == normalized("caf\u00e9-au-lait") == "caf\u00e9-au-lait"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * (MOST_BYTES + 1), AccountRefusal.PASSWORD_TOO_LONG),
        ("é" * (MOST_BYTES // 2 + 1), AccountRefusal.PASSWORD_TOO_LONG),
        ("half a pair \ud83d", AccountRefusal.PASSWORD_NOT_TEXT),
    ],
)
def test_password_that_nobody_can_have_is_compared_as_an_empty_one(text: str, reason: AccountRefusal) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        normalized(text)
    assert refused.value.reason is reason and typed(text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1234567", AccountRefusal.PASSWORD_TOO_SHORT),
        ("", AccountRefusal.PASSWORD_TOO_SHORT),
        ("👩‍💻👩‍💻", AccountRefusal.PASSWORD_TOO_SHORT),
        ("password1", AccountRefusal.PASSWORD_COMMON),
        ("PassWord1", AccountRefusal.PASSWORD_COMMON),
        ("qwertyuiop", AccountRefusal.PASSWORD_COMMON),
        ("ada@example.org", AccountRefusal.PASSWORD_PERSONAL),
        ("Ada Lovelace", AccountRefusal.PASSWORD_PERSONAL),
        ("lovelace1", AccountRefusal.PASSWORD_PERSONAL),
    ],
)
def test_password_that_is_short_common_or_personal_is_refused(text: str, reason: AccountRefusal) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        require_usable(text, WORDS)
    assert refused.value.reason is reason
    assert not text or text not in f"{refused.value.message} {refused.value.remedy}"


def test_password_with_a_personal_word_among_others_is_usable() -> None:
    require_usable("lovelace wrote the first program", WORDS)


def test_personal_words_are_the_texts_and_their_words_without_short_ones() -> None:
    assert personal_words("ada@example.org", "Ada Lovelace") == (
        "ada@example.org",
        "example",
        "ada lovelace",
        "lovelace",
    )


def test_list_of_common_passwords_is_in_order_folded_and_long_enough_to_matter() -> None:
    """ASVS 5 6.2.4 asks for at least 3,000 that the rules would allow."""
    text = files("softix_proxy").joinpath("data/common_passwords.txt").read_text("ascii")
    lines = [line for line in text.split("\n") if line and not line.startswith("# ")]
    assert lines == sorted(set(lines)) and len(lines) >= 3_000 and text.endswith("\n")
    assert all(len(line) >= 8 and line == line.casefold() for line in lines)


def test_password_of_two_lines_of_the_list_is_not_taken_for_one_of_them() -> None:
    require_usable("password\npassword1", ())
