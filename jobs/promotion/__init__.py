"""Carrying releases into environments: look, decide what is wanted, propose, judge, merge, follow its health."""
