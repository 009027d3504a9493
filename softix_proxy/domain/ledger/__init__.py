"""The transfers, wallets, accounting periods and corrections of dates."""
