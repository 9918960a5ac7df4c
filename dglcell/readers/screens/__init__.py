"""Screens in any published layout, read into one plain table."""
