"""What can be done on the forge, one module per domain: each changes records or git and publishes what happened.

The REST calls, the GraphQL mutations and the pages all end here. Callers hold ``state.lock`` and have decided that the
actor may; refusals that depend on the records themselves are raised here as ``ApiError``.
"""
