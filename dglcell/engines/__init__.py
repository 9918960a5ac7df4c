"""The graph operators of the model, and the engines (compute back ends) that compute them."""
