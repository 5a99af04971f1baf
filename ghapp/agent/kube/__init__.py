"""How the agent talks to a Kubernetes API: credentials, patient requests, kinds, watches. Knows nothing of git."""
