"""From what happened to signed deliveries: who is told, what is sent, and the log of what became of it."""
