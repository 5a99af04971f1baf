"""Facts of a pull request, as a file and from GitHub: the border in front of `policies.approval`."""
