from softix_proxy.domain.access.permissions import READS, WITHOUT_PROOF, Permission


def test_permission_is_a_noun_and_what_is_done_with_it() -> None:
    assert {each.value.partition(".")[2] for each in Permission} == {"read", "write", "own", "revoke", "retry", "ack"}
    assert all(each.value.replace(".", "_").upper() == each.name for each in Permission)


def test_only_a_permission_to_read_reads() -> None:
    assert {each for each in Permission if each.is_read} == READS
    assert {each.value for each in WITHOUT_PROOF - READS} == {"abuse.ack", "keys.revoke", "mail.retry"}
