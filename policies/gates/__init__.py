"""The conditions on a promotion, one file each; :mod:`policies.gates.registry` lists them and sums them up."""
