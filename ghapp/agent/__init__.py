"""The agent: makes a cluster equal to an environment branch, and says how that went.

It pulls; nothing reaches into the cluster. It imports nothing of the server, the workers or the sandbox, so that a
cluster can run it alone.
"""
