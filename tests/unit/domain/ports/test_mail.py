from __future__ import annotations

from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault


def test_delivery_error_says_its_fault_and_nothing_else() -> None:
    error = DeliveryError(DeliveryFault.RECIPIENT_REFUSED, permanent=True)
    assert (str(error), error.args, error.permanent) == ("recipient_refused", ("recipient_refused",), True)
