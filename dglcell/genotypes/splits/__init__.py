"""Training, validation and test subsets of a genotype table."""
