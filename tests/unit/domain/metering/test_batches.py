from softix_proxy.domain.core.ids import CORRECTIONS_SLOT, SLOTS
from softix_proxy.domain.metering.batches import PARKED_SLOT


def test_parked_slot_is_never_the_slot_of_a_process_or_of_corrections() -> None:
    assert PARKED_SLOT not in (*range(SLOTS), CORRECTIONS_SLOT)
