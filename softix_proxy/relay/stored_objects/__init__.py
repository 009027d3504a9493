"""The objects that users store at providers whose accounts they share. Only the owner can see that an object exists."""
