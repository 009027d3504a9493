from typing import Any

import pytest

from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.web.portal.core.form_faults import sentence, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInputError("no number"), 400),
        (ConflictError("is taken"), 409),
        (NotFoundError("no such key"), 400),
        (FailureError("no answer"), 503),
    ],
)
def test_refusal_of_a_form_is_a_sentence_with_a_status(error: Any, status: int) -> None:
    assert status_of(error) == status
    assert sentence(error) in ("No number.", "Is taken.", "No such key.", "No answer.")


def test_form_without_an_error_has_no_problem() -> None:
    assert (sentence(None), status_of(None)) == (None, 200)
