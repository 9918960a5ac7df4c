"""Layers and models: composition of operators, no graph traversal of their own."""
