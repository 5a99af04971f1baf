"""The REST calls under ``/api/v3``, one module per domain: handlers read a request, call an operation and serialise."""
