import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.access import identity
from softix_proxy.domain.access.identity import checked_display_name, checked_email, checked_handle, is_email, is_handle
from softix_proxy.domain.core.errors import BadInputError


@pytest.mark.parametrize("handle", ["a", "Ada Lovelace", "Zoë", "o'brien-2.b", "a" * 64, "李"])
def test_handle_with_plain_letters_is_accepted(handle: str) -> None:
    assert checked_handle(handle) == handle


@pytest.mark.parametrize(
    "handle",
    [
        "",
        " ada",
        "ada ",
        "a\nb",
        "-ada",
        "a" * 65,
        "<b>",
        "ada@example.org",
        "a@b",
        "usr_aaaaaaaaaaaaaaaa",
        "USR_x",
        "Zoe\u0308",
        "a\x1b[31mb",
        "a\u202eb",
    ],
)
def test_handle_that_may_be_taken_for_something_else_is_refused(handle: str) -> None:
    with pytest.raises(BadInputError) as refused:
        checked_handle(handle)
    assert not is_handle(handle) and refused.value.remedy


@pytest.mark.parametrize(
    "email",
    ["ada@example.org", "a@x", "o'brien+tag@mail.example.org", "A.B@xn--bcher-kva.example", "a" * 64 + "@example.org"],
)
def test_email_with_one_plain_address_is_accepted(email: str) -> None:
    assert checked_email(email) == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.org",
        "a@",
        "a b@example.org",
        "a@b@c",
        "a@.org",
        "a@x..example",
        "a@-x.example",
        "a@x-.example",
        "a@x_y.example",
        "a@example.org,evil",
        "a@example.org, b@example.org",
        "<script>@example.org",
        "ada\x01@example.org",
        "mıke@example.org",
        '"a b"@example.org',
        "a@[1.2.3.4]",
        "a@1.2.3.4",
        "a.@example.org",
        ".a@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org\n",
        "Ada <a@example.org>",
        "a@bücher.example",
        "a" * 65 + "@example.org",
        "a@" + "x" * 64 + ".org",
        "a@" + ".".join(["x" * 60] * 5),
        "a@example.org ",
        "(c)a@example.org",
    ],
)
def test_email_that_is_not_one_plain_address_is_refused(email: str) -> None:
    with pytest.raises(BadInputError) as refused:
        checked_email(email)
    assert not is_email(email) and refused.value.remedy


@pytest.mark.parametrize(
    "name", ["O’Brien", "Anne-Marie (Ops)", "Zoë", "李小龍", "👩\u200d💻 team", "می\u200cخواهم", "x" * 100]
)
def test_display_name_of_any_letters_is_accepted(name: str) -> None:
    assert checked_display_name(name) == name


def test_display_name_is_composed() -> None:
    assert checked_display_name("Zoe\u0308") == "Zoë"


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "x" * 101, "a\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\x85b", "a\ud800"]
)
def test_display_name_with_control_characters_is_refused_without_a_quote(name: str) -> None:
    with pytest.raises(BadInputError) as refused:
        checked_display_name(name)
    assert refused.value.message == "not a usable display name"


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("O’Brien", "o-brien"),
        ("Anne-Marie (Ops)", "anne-marie-ops"),
        ("Zoë", "zoë"),
        ("victim@example.org", "victim-example-org"),
        ("usr_aaaa", "usr-aaaa"),
        ("山田太郎", "山田太郎"),
        ("👩‍💻", "organisation"),
        ("STRASSE Straße", "strasse-strasse"),
        ("x" * 100, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_handle_made_from_a_name_is_usable_and_like_it(name: str, handle: str) -> None:
    assert identity.handle_from(name) == handle and identity.is_handle(handle)


@given(st.text(max_size=100))
def test_handle_made_from_any_text_is_usable(text: str) -> None:
    assert identity.is_handle(identity.handle_from(text))
