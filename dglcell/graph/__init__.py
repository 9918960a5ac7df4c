"""The cell graph: its container, its construction from records, its perturbations, its file."""
