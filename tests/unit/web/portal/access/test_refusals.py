from __future__ import annotations

import pytest

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.exports.core.texts import texts
from softix_proxy.web.portal.access.refusals import refused_page


@pytest.mark.parametrize("reason", AccountRefusal)
def test_each_reason_has_a_text_for_people(reason: AccountRefusal) -> None:
    page = refused_page("sign_in", {"email": "ada@example.org", "problem": None}, AccountRefusedError(reason))
    assert page.status == 400
    assert page.values["problem"] in texts()
