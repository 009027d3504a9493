from softix_proxy.domain.instance.instance import InstanceStore


def test_instance_store_has_exactly_the_known_methods() -> None:
    assert {name for name in vars(InstanceStore) if not name.startswith("_")} == {
        "calendar",
        "get",
        "last_request_id",
        "set",
    }
