"""Layers and models, composed of the graph operators of an engine."""
