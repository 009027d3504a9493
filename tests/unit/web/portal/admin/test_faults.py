import pytest

from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.exports.core.texts import texts
from softix_proxy.web.portal.admin.faults import REMEDIES, shown_fault


def test_every_remedy_has_its_text_and_names_no_command() -> None:
    for key in {*REMEDIES.values(), "admin_fault.any"}:
        assert "softix" not in texts().text(key)


def test_fault_has_the_message_of_the_operation_and_the_remedy_of_the_page() -> None:
    fault = shown_fault(BadInputError("not an amount: 'x'", "see: softix balance --help"), "balance")
    assert (fault.message, fault.remedy, fault.status) == ("Not an amount: 'x'.", "admin_fault.balance_input", 400)
    assert shown_fault(ConflictError("taken"), "balance").status == 409
    assert shown_fault(NotFoundError("none"), "elsewhere").remedy == "admin_fault.any"


def test_fault_that_is_not_the_person_s_is_raised() -> None:
    with pytest.raises(FailureError):
        shown_fault(FailureError("the disk is full"), "balance")
