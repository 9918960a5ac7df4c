"""Delta states: one copy of the wild type's rows, and the rows that deletions change."""
