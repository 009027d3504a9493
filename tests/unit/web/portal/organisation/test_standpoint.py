from typing import Any

import pytest

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.web.portal.organisation.standpoint import sentence, status_of


async def test_person_in_no_organisation_has_no_page_of_one(acme: Any) -> None:
    await acme.portal.sign_in(await acme.portal.account("lonely@example.org"), "lonely")
    for path in ("/members", "/members/leave", "/projects", "/projects/prj_bot"):
        assert (await acme.ask("GET", path, "lonely")).status == 404
    assert (await acme.ask("POST", "/members/leave", "lonely")).status == 404


@pytest.mark.parametrize(("error", "status"), [(BadInputError("no number"), 400), (ConflictError("is taken"), 409)])
def test_refusal_of_a_form_is_a_sentence_with_a_status(error: Any, status: int) -> None:
    assert status_of(error) == status
    assert sentence(error) in ("No number.", "Is taken.")


def test_form_without_a_refusal_is_a_page_without_a_sentence() -> None:
    assert (sentence(None), status_of(None)) == (None, 200)
