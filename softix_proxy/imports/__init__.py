"""The formats of providers' bills and of price lists: each file turns bytes into rows."""
