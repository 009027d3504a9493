"""The hold, and the one function that says what is charged."""
