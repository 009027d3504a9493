from __future__ import annotations

import pytest

from softix_proxy.domain.ports.mail import DeliveryFault
from softix_proxy.operations.notices.delivery_faults import explained


@pytest.mark.parametrize("fault", DeliveryFault)
def test_every_fault_says_what_is_wrong_and_what_to_do(fault: DeliveryFault) -> None:
    told = explained(fault)
    assert told.message and told.remedy and "@" not in told.message + told.remedy
