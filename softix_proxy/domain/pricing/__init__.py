"""Meters, price sheets, price versions and what a quantity costs."""
