"""Bare repositories on disk, read and written with git's own plumbing. Knows nothing of users, rules or HTTP."""
