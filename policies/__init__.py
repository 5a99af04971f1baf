"""Decisions. Everything here is pure: facts and ``now`` go in, a verdict comes out.

Nothing in this package imports ``ghapp`` or ``jobs``, does I/O or reads a clock.
"""
