"""A run beside its baselines: metrics, reports."""
