"""The conditions on a promotion: one file each, judged by facts and policies, listed in one registry."""
