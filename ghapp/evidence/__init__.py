"""Evidence: signed statements about commits and images, kept as Git notes beside the commits they are about."""
