"""The commands for balances, the ledger, periods and corrections."""
