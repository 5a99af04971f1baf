"""A GitHub and a cluster that fit on a laptop, so that the whole product runs without an account or a server of anyone's.

Nothing outside this package may depend on it, except the commands that start it: for the product only URLs differ.
"""
