"""The forge's GraphQL API: the part of GitHub's published schema that apps use, answered from the forge's records.

It keeps nothing of its own. Types are in ``schema/``, cut from the published schema; ``types/`` answers their fields
and ``mutations/`` changes things through the same functions as the REST API.
"""
