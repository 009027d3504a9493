"""The pages by which people sign in, register, and look after their own account."""
