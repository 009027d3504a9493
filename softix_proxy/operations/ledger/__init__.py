"""The operations that an operator can run on balances, periods and corrections."""
