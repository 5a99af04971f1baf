"""The approval policy language: a team's `.policy.yml` gives here the answer that palantir/policy-bot gives.

Reading order: :mod:`parse` (text to rules), :mod:`facts` (one pull request), :mod:`evaluate` (rules and facts to a
tree of results), :mod:`judge` (which policy applies, and the state), :mod:`explain` (the tree in words).
"""
