"""The forge's web pages, so that a person can look around and play the approver. Server-rendered; no JavaScript.

They show what the records say and act through the same functions as the REST API. They guard nothing: whoever can open
them may act as any of the sandbox's users.
"""
