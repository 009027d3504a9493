"""What an operator can do with balances, periods and corrections."""
