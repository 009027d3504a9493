"""The pages about money: top-ups, automatic top-ups, documents and refunds; and the webhook of Stripe."""
