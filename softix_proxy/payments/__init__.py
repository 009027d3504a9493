"""The payment providers: Stripe."""
