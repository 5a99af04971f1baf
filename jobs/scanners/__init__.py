"""Scanners' reports, read: each format to findings. One file a format; they run nothing and believe no text."""
