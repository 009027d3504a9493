"""The pages that say what is stored, how it is protected, and whom to tell of a hole."""
