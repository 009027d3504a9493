import pytest

from softix_proxy.domain.core import errors
from softix_proxy.domain.core.errors import HTTP_STATUS, BadInputError, Code, OperatorError, RefusedError


def test_error_code_of_every_kind_has_a_client_or_server_error_status() -> None:
    assert set(HTTP_STATUS) == set(Code)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


@pytest.mark.parametrize("kind", OperatorError.__subclasses__())
def test_operator_error_of_each_kind_has_a_message_a_remedy_and_an_exit_code(kind: type[OperatorError]) -> None:
    error = kind("it is so", "do that")
    assert (error.message, error.remedy, str(error)) == ("it is so", "do that", "it is so")
    assert error.exit_code == (2 if kind is BadInputError else 1)
    assert kind("it is so").remedy == "" and kind.__doc__


def test_refused_error_with_details_shows_only_its_code_and_message() -> None:
    error = RefusedError(Code.RATE_LIMITED, "Slow down.", 3, {"detail": "x"}, (("h", "v"),))
    assert str(error) == "rate_limited: Slow down."
    with pytest.raises(RefusedError):
        raise error


def test_error_of_every_kind_is_an_operator_error_or_a_refused_error() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert all(issubclass(kind, (OperatorError, RefusedError)) for kind in found)


@pytest.mark.parametrize("kind", OperatorError.__subclasses__())
def test_operator_error_about_a_whole_key_quotes_its_visible_prefix(kind: type[OperatorError]) -> None:
    key = "sx_live_abcd" + "W" * 29
    error = kind(f"no key {key!r}", f"see: softix keys show {key}")
    assert (error.message, str(error)) == ("no key 'sx_live_abcd'",) * 2
    assert error.remedy == "see: softix keys show sx_live_abcd"


def test_message_that_quotes_something_long_is_shortened() -> None:
    assert OperatorError("x" * 400).message == "x" * 400
    assert OperatorError("x" * 5_000).message == "x" * 400 + "…"
