"""The operators of the model, one function each, and the engines that compute them."""
