"""Delimited tables: from bytes to recognized columns, the one path under all readers of tables."""
