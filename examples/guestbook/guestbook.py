"""A guestbook: GET / lists the entries, POST / with `name` and `message` adds one, GET /healthz says ok."""

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

LIMIT = 10_000


def page(entries, greeting):
    items = "".join(f"<li><b>{html.escape(name)}</b>: {html.escape(message)}</li>" for name, message in entries)
    form = '<form method="post"><input name="name"><input name="message"><button>Sign</button></form>'
    return f"<!doctype html><title>Guestbook</title><h1>{html.escape(greeting)}</h1><ul>{items}</ul>{form}"


def read_entry(body):
    """The (name, message) of a posted form, or None if either is missing."""
    fields = parse_qs(body)
    name, message = (fields.get(key, [""])[0].strip()[:200] for key in ("name", "message"))
    return (name, message) if name and message else None


class Guestbook(BaseHTTPRequestHandler):
    entries = []

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "ok", "text/plain")
        return self.answer(200, page(self.entries, os.environ.get("GREETING", "Guestbook")))

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        entry = read_entry(self.rfile.read(length).decode()) if length <= LIMIT else None
        if entry is None:
            return self.answer(400, "name and message are needed", "text/plain")
        self.entries.append(entry)
        return self.answer(201, page(self.entries, "Thank you"))

    def answer(self, status, text, kind="text/html; charset=utf-8"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Guestbook).serve_forever()
