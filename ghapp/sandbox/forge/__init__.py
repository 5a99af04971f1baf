"""A GitHub stand-in: real git over smart HTTP, the REST and GraphQL calls that apps make, and signed webhooks.

It forgets everything when it stops. It is for laptops and tests, and guards nothing against its own users.
"""
