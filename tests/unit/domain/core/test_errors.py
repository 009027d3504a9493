import pytest

from softix_proxy.domain.core import errors
from softix_proxy.domain.core.errors import HTTP_STATUS, BadInputError, Code, OperatorError, RefusedError


def test_every_code_has_its_status() -> None:
    assert set(HTTP_STATUS) == set(Code)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


@pytest.mark.parametrize("kind", OperatorError.__subclasses__())
def test_operators_get_a_line_a_remedy_and_an_exit_code(kind: type[OperatorError]) -> None:
    error = kind("it is so", "do that")
    assert (error.message, error.remedy, str(error)) == ("it is so", "do that", "it is so")
    assert error.exit_code == (2 if kind is BadInputError else 1)
    assert kind("it is so").remedy == "" and kind.__doc__


def test_a_refusal_tells_its_code_and_message_only() -> None:
    error = RefusedError(Code.RATE_LIMITED, "Slow down.", 3, {"detail": "x"}, (("h", "v"),))
    assert str(error) == "rate_limited: Slow down."
    with pytest.raises(RefusedError):
        raise error


def test_every_error_is_of_one_of_the_two_families() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert all(issubclass(kind, (OperatorError, RefusedError)) for kind in found)
