"""The URLs of the pages about money, and of the webhook."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.operations.ledger.payment_setup import WEBHOOK_PATH
from softix_proxy.web.portal.billing import billing, invoice_address, webhook
from softix_proxy.web.portal.core.page import Access, PortalRoute

ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", "/billing", billing.show, Access.SIGNED_IN, "bill.list"),
    PortalRoute("GET", "/billing/top-up", billing.show_top_up, Access.SIGNED_IN, "payments.show"),
    PortalRoute("POST", "/billing/top-up", billing.begin_top_up, Access.SIGNED_IN, "payments.top-up"),
    PortalRoute("POST", "/billing/methods", billing.open_methods, Access.RECENT, "payments.open-methods"),
    PortalRoute("GET", "/billing/auto-top-up", billing.show_auto_top_up, Access.SIGNED_IN, "payments.show"),
    PortalRoute("POST", "/billing/auto-top-up", billing.set_auto_top_up, Access.RECENT, "payments.set-auto-top-up"),
    PortalRoute("GET", "/billing/address", invoice_address.show_address, Access.SIGNED_IN, "bill.show"),
    PortalRoute("POST", "/billing/address", invoice_address.save_address, Access.SIGNED_IN, "bill.customer"),
    PortalRoute("GET", "/billing/refunds", billing.show_refund, Access.SIGNED_IN, "payments.refunds"),
    PortalRoute("POST", "/billing/refunds", billing.ask_refund, Access.RECENT, "payments.ask-refund"),
    PortalRoute(
        "GET", "/billing/documents/{number}.{form}", billing.download_document, Access.SIGNED_IN, "bill.render"
    ),
    PortalRoute("POST", WEBHOOK_PATH, webhook.receive_event, Access.PROGRAM, "payments.webhook"),
)
