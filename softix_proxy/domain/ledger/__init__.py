"""Transfers, wallets, accounting periods and corrections of dates."""
