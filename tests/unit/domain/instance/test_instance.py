from softix_proxy.domain.instance.instance import InstanceStore


def test_its_verbs() -> None:
    assert {name for name in vars(InstanceStore) if not name.startswith("_")} == {
        "calendar",
        "get",
        "last_request_id",
        "set",
    }
