"""Genotypes and their labels: the table, its splits, its scaling, its storage."""
