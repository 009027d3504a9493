"""One of everything that is stored of people and of how they sign in, written by the names of fields alone."""

from __future__ import annotations

from softix_proxy.domain.abuse.abuse import TakenAction, Tuning
from softix_proxy.domain.abuse.rule import AbuseAction, Suspicion
from softix_proxy.domain.access.repeatable_calls import RepeatableCall
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.tokens import AdminToken
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.accounts.accounts import Account, AccountStatus, PolicyAcceptance
from softix_proxy.domain.accounts.audit import ActorKind, AuditActor, AuditChange, Channel, Outcome
from softix_proxy.domain.accounts.ceremonies import Ceremony, CeremonyKind
from softix_proxy.domain.accounts.factors import Passkey, TotpFactor
from softix_proxy.domain.accounts.federated_identities import FederatedIdentity
from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.privacy.technical_data import (
    NOWHERE,
    Agent,
    CallOrigin,
    GuessingNetwork,
    KeyAddress,
    KeyAgent,
    SeenGroup,
)

ADA = 1


async def write_people(unit: Unit) -> None:
    await unit.accounts.add(
        Account(
            id=0,
            public_id="acc_ada",
            email="Ada@example.org",
            display_name="Ada Lovelace",
            role=UserRole.AUDITOR,
            status=AccountStatus.DISABLED,
            created_at_us=71,
            verified_at_us=72,
            age_attested_at_us=73,
        )
    )
    await unit.accounts.accept(PolicyAcceptance(account_id=1, policy="terms", version="2026-11-01", accepted_at_us=74))
    await unit.memberships.add(Membership(account_id=1, user_id=ADA, role=OrganisationRole.BILLING, created_at_us=75))
    await unit.account_tokens.add(
        AccountToken(
            digest=b"token",
            purpose=TokenPurpose.INVITATION,
            account_id=1,
            email="eve@example.org",
            created_at_us=76,
            expires_at_us=177,
            invitation_id=78,
        )
    )
    await unit.sessions.add(
        Session(
            id=0,
            public_id="ses_one",
            account_id=1,
            digest=b"session",
            method=SignInMethod.PASSKEY,
            second_factor=True,
            is_pending=False,
            device="Firefox on Linux",
            created_at_us=79,
            seen_at_us=80,
            reauthenticated_at_us=81,
            idle_ends_at_us=182,
            ends_at_us=183,
        )
    )
    await unit.security_events.add(
        SecurityEvent(
            id=0,
            at_us=84,
            account_id=1,
            kind="role_changed",
            address="192.0.2.7",
            device="Safari on iPhone",
            subject="usr_ada",
        )
    )
    await write_factors(unit)
    await write_alert(unit)


async def write_factors(unit: Unit) -> None:
    await unit.factors.set_totp(
        TotpFactor(account_id=1, sealed_secret=b"secret", last_step=85, created_at_us=86, used_at_us=87)
    )
    await unit.factors.add_passkey(
        Passkey(
            id=0,
            public_id="pky_one",
            account_id=1,
            credential_id=b"credential",
            public_key=b"public key",
            sign_count=88,
            label="Phone",
            created_at_us=89,
            used_at_us=90,
        )
    )
    await unit.federated_identities.add(
        FederatedIdentity(
            issuer="https://login.example.org", subject="ada-1", account_id=1, created_at_us=91, used_at_us=92
        )
    )
    await unit.ceremonies.add(
        Ceremony(
            kind=CeremonyKind.OIDC_LINK,
            reference=b"state",
            browser=b"cookie",
            account_id=1,
            sealed=b"nonce",
            created_at_us=93,
            expires_at_us=194,
        )
    )


CALL = RepeatableCall(
    actor="tok_one",
    key_digest=b"key of a call",
    operation="balance.add",
    request_digest=b"request of a call",
    call_id="call_one",
    at_us=94,
)
TOKEN = AdminToken(
    id=0,
    public_id="tok_one",
    label="deploy",
    prefix="sx_admin_abcd",
    digest=b"token",
    role="auditor",
    created_at_us=95,
    expires_at_us=195,
    revoked_at_us=196,
    used_at_us=97,
)
ADA_AT_THE_PORTAL = AuditActor(ActorKind.ACCOUNT, "acc_ada", Channel.PORTAL)


SEEN = SeenGroup(
    [KeyAddress(key_id=1, day=20_001, address="192.0.2.9", first_us=301, last_us=302, requests=303)],
    [
        KeyAgent(
            key_id=1,
            day=20_002,
            family="curl",
            version="8.1",
            device="Linux",
            tls="TLSv1.3",
            first_us=304,
            last_us=305,
            requests=306,
        )
    ],
    [GuessingNetwork(day=20_003, network="192.0.2.10", first_us=307, last_us=308, failed=309, slowed=310)],
)


async def write_audit(unit: Unit) -> None:
    unit.origin = CallOrigin(
        address="192.0.2.11", agent=Agent(family="Firefox", version="140.0", device="macOS"), tls="TLSv1.2"
    )
    changes = [AuditChange("key", "key_one", {"status": "active"}, {"status": "revoked"}, ("label",))]
    await unit.audit.add(ADA_AT_THE_PORTAL, "keys.revoke", "key_one", Outcome.DONE, changes)
    unit.origin = NOWHERE


async def write_alert(unit: Unit) -> None:
    """Writes an alert of abuse with what was done about it, and a tuning."""
    found = Suspicion("key_one", "The key spent much.", {"spent_pico": 101}, key_id=1, user_id=ADA)
    alert = await unit.abuse.notice("spend", found, "abu_one", 1)
    assert alert is not None
    await unit.abuse.act(
        TakenAction(
            id=0,
            public_id="act_one",
            alert_id=alert.id,
            action=AbuseAction.THROTTLE,
            key_id=1,
            before={"rpm": 102},
            began_us=103,
            until_us=204,
            undone_us=305,
        )
    )
    await unit.abuse.tune(
        Tuning(rule="spend", key_id=1, enabled=False, action=AbuseAction.ALERT, thresholds={"factor": 106})
    )
