"""Deletions and their interactions by flux balance analysis."""
