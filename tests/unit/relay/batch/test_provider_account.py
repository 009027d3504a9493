from dataclasses import replace

from support.playbook import LAB

from softix_proxy.domain.catalog.providers import ProviderKey
from softix_proxy.relay.batch.provider_account import Account


def test_account_of_provider_has_the_labelled_key_or_the_first() -> None:
    first, second = ProviderKey("prv_lab", "main", b"1"), ProviderKey("pky_two", "second", b"2")
    provider = replace(LAB, sealed_key=b"1", more_keys=(second,))
    assert Account.of(provider) == Account(provider, first)
    assert Account.of(provider, "second") == Account(provider, second)
    assert Account.of(provider, "gone") == Account(provider, first), "the provider's key was removed since"
    assert Account.of(LAB, "second") == Account(LAB, None) and Account.of(LAB).label == ""


def test_account_call_has_its_own_provider_and_key() -> None:
    account = Account.of(replace(LAB, sealed_key=b"1"))
    call = account.call(7, "/v1/files", [("a", "b")], method="DELETE")
    assert (call.key_id, call.provider, call.key) == (7, account.provider, account.key)
    assert (call.method, call.path, call.headers, call.body, call.stream) == (
        "DELETE",
        "/v1/files",
        [("a", "b")],
        b"",
        False,
    )
