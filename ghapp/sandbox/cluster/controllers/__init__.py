"""What makes the cluster's objects come true: Deployments get Pods, claims get volumes, Jobs run.

Each controller is one file that looks at one subject and does whatever is missing; ``registry`` is the list of them.
"""
