from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.audit import ActorKind, Channel
from softix_proxy.domain.accounts.principals import NOBODY, os_user


def test_user_of_the_operating_system_may_do_everything() -> None:
    principal = os_user(1000)
    assert (principal.actor.kind, principal.actor.id) == (ActorKind.OS_USER, "uid:1000")
    assert principal.actor.channel is Channel.CLI
    assert all(principal.may(permission) for permission in Permission)


def test_nobody_may_do_what_needs_no_permission_and_nothing_else() -> None:
    assert NOBODY.may(None)
    assert not any(NOBODY.may(permission) for permission in Permission)
