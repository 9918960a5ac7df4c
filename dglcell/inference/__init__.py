"""Trained runs, loaded and asked for predictions."""
