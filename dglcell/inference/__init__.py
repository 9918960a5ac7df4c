"""Load trained runs and predict with them."""
