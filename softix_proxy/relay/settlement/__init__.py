"""The hold, and the one function that decides what is charged."""
