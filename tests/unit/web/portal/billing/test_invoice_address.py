"""The form for the invoice address: who may change it, what it stores, and the receipts that waited for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.portal import organisation
from support.till import MARK, Till

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.billing.bill import Party
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.operations.billing import bill

FORM = {
    "name": "Lovelace Ltd",
    "address": "Main Street 1\r\n\r\n Back yard \r\n",
    "postcode": "1010",
    "city": "Vienna",
    "country": "at",
    "vat_id": "",
}
PATH = "/billing/address"


async def party(till: Till) -> Party:
    _, found = await bill.customer(till.portal.storage, till.own.public_id)
    return found.party


async def test_receipt_that_waited_for_the_country_comes_with_the_form(till: Till) -> None:
    settings = till.portal.context.settings
    settings = replace(
        settings,
        payments=replace(settings.payments, tax="stripe"),
        billing=replace(settings.billing, seller_country="DE", seller_vat_id="DE123456789"),
    )
    till.service.settings = settings
    till.portal.context.settings = settings
    await till.paid()
    page = (await till.portal.get("/billing", token=till.token)).text
    assert "Some payments have no receipt yet" in page and f'href="{PATH}"' in page
    saved = await till.portal.post(PATH, FORM, token=till.token)
    assert (saved.status, saved.location) == (303, "/billing")
    page = (await till.portal.get("/billing", token=till.token)).text
    assert "/billing/documents/RCT-2027-00001.pdf" in page and "have no receipt yet" not in page
    [receipt] = await bill.list_all(till.portal.storage)
    assert receipt.document.buyer == await party(till)


async def test_form_stores_what_the_command_stores_and_shows_it_again(till: Till) -> None:
    first = (await till.portal.get(PATH, token=till.token)).text
    assert 'value="lovelace"' in first
    await bill.set_customer(till.portal.storage, Billing(), till.own.public_id, reference="PO 7", tax_rate="7")
    await till.portal.post(PATH, {**FORM, "vat_id": "atu 12345678"}, token=till.token)
    _, customer = await bill.customer(till.portal.storage, till.own.public_id)
    found = customer.party
    assert (found.name, found.address, found.postcode, found.city, found.country, found.vat_id) == (
        "Lovelace Ltd",
        ("Main Street 1", "Back yard"),
        "1010",
        "Vienna",
        "AT",
        "ATU12345678",
    )
    assert (found.reference, found.email, str(customer.rate)) == ("PO 7", "lovelace@example.org", "7")
    page = (await till.portal.get(PATH, token=till.token)).text
    assert "Main Street 1\nBack yard</textarea>" in page
    await till.portal.post(PATH, {"name": MARK}, token=till.token)
    assert await party(till) == Party(MARK, email="lovelace@example.org", reference="PO 7")
    assert MARK not in (await till.portal.get(PATH, token=till.token)).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "A customer has a name."),
        ({"country": "Austria"}, "A country is written with its two letters, such as DE."),
        ({"vat_id": "1"}, "A VAT id begins with its country, such as DE123456789."),
        ({"address": "x\n" * 6}, "An address has at most 5 lines."),
        ({"city": "x" * 201}, "a line of at most 200 characters"),
    ],
)
async def test_form_with_a_mistake_keeps_what_was_typed_and_stores_nothing(
    till: Till, change: dict[str, str], said: str
) -> None:
    before = await party(till)
    refused = await till.portal.post(PATH, {**FORM, "postcode": "K-77", **change}, token=till.token)
    assert refused.status == 400 and said in refused.text and 'value="K-77"' in refused.text
    assert await party(till) == before


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (OrganisationRole.ADMIN, 200),
        (OrganisationRole.BILLING, 200),
        (OrganisationRole.MEMBER, 404),
        (OrganisationRole.VIEWER, 404),
    ],
)
async def test_form_is_for_those_who_may_pay(till: Till, role: OrganisationRole, status: int) -> None:
    eve = await till.portal.account("eve@example.org")
    await organisation(till.portal, "hers")
    async with till.portal.storage.writing() as unit:
        await unit.memberships.add(Membership(eve.id, till.own.id, role, 1))
    token, before = await till.portal.sign_in(eve, "eve"), await party(till)
    assert (await till.portal.get(PATH, token=token)).status == status
    saved = await till.portal.post(PATH, FORM, token=token)
    assert saved.status == (303 if status == 200 else 404)
    assert (await party(till) == before) is (status == 404)


async def test_form_is_there_without_payments_for_who_is_billed_afterwards(till: Till) -> None:
    till.portal.context.payments = None
    assert PATH in (await till.portal.get("/billing", token=till.token)).text
    assert (await till.portal.post(PATH, FORM, token=till.token)).status == 303


async def test_country_and_vat_id_are_the_operator_s_once_the_tax_is_decided(till: Till) -> None:
    await bill.set_customer(
        till.portal.storage, Billing(), till.own.public_id, country="DE", vat_id="DE123456789", tax_category="AE"
    )
    page = (await till.portal.get(PATH, token=till.token)).text
    assert 'name="country"' not in page and 'name="vat_id"' not in page and "DE123456789" in page
    saved = await till.portal.post(PATH, {**FORM, "vat_id": "ATU12345678"}, token=till.token)
    assert saved.status == 303
    found = await party(till)
    assert (found.city, found.country, found.vat_id) == ("Vienna", "DE", "DE123456789")
