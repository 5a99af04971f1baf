"""The questions that `if:` and `conditions:` can ask about a pull request, one family a file."""
