"""How the forge speaks HTTP: server, routing, authentication, rate limits and faults. Knows nothing of any endpoint."""
