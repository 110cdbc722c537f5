"""Rows: where they come from and what may not be in them."""
