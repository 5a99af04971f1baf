"""What GraphQL lets apps and people change. Every mutation ends in the operation that the REST call ends in too."""
