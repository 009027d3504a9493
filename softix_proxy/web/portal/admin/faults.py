"""Shows what went wrong with a form, with a remedy for the page.

An operation's own remedy names a command, so a page takes only its fault and has its own remedy, from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError, OperatorError
from softix_proxy.web.portal.core.form_faults import sentence, status_of

_OF_FORMS = (BadInputError, ConflictError, NotFoundError)
_ANY = "admin_fault.any"
REMEDIES: Mapping[tuple[str, type[OperatorError]], str] = {
    ("balance", BadInputError): "admin_fault.balance_input",
    ("balance", ConflictError): "admin_fault.balance_conflict",
    ("user", BadInputError): "admin_fault.user_input",
    ("user", ConflictError): "admin_fault.user_conflict",
    ("key", BadInputError): "admin_fault.key_input",
    ("key", NotFoundError): "admin_fault.key_models",
    ("prices", ConflictError): "admin_fault.prices_conflict",
    ("prices", NotFoundError): "admin_fault.prices_missing",
    ("refund", ConflictError): "admin_fault.refund_conflict",
    ("account", ConflictError): "admin_fault.account_conflict",
    ("usage", BadInputError): "admin_fault.usage_input",
    ("usage", NotFoundError): "admin_fault.usage_missing",
}
"""The form and the kind of error → the key of the remedy in the catalogue of texts."""


class ShownFault(NamedTuple):
    message: str
    """The fault, as the operation states it, as a sentence. It is escaped where it is shown."""
    remedy: str
    """The key of a text."""
    status: int


def shown_fault(error: OperatorError, form: str) -> ShownFault:
    """Returns what a page shows of the error of this form. Raises the error again if it is not the person's."""
    if type(error) not in _OF_FORMS:
        raise error
    return ShownFault(sentence(error), REMEDIES.get((form, type(error)), _ANY), status_of(error))
