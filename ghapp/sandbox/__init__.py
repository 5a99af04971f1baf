"""A GitHub and a cluster that fit on a laptop, so that the product runs without an account or a server.

Nothing outside this package may depend on it, except the commands that start it: for the product only URLs differ.
"""
