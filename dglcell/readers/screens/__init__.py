"""Screens of measured genotypes in any layout, read into one plain table."""
