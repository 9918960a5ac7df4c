"""Delta states: the rows that a deletion changed, beside one copy of the wild type's."""
