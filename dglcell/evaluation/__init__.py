"""Compare a run with baselines: metrics, reports."""
