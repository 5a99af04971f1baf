"""Talking to container registries: the OCI distribution calls that building, releasing and promoting need."""

from ghapp.registry.client import Registry, RegistryAway, RegistryError, TagTaken
from ghapp.registry.reference import BadReference, Reference, parse

__all__ = ["BadReference", "Reference", "Registry", "RegistryAway", "RegistryError", "TagTaken", "parse"]
