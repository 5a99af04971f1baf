"""A Kubernetes API that fits in one process: what `kubectl`, the agent and build Jobs need, held in memory.

It behaves as a real API server does where clients can tell: ownership of fields, versions, watches, refusals. It runs
no containers: a Job's command becomes a process of this machine, everything else only looks as if it ran.
"""
