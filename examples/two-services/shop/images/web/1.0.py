"""The page, version 1.0: it shows what the API says.

Usage: python3 web.py ADDRESS PORT, with VERSION and API, its URL, in the environment
"""

import json
import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ["VERSION"]


def ask():
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(os.environ["API"], timeout=5) as answer:
        return json.load(answer)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.give(200, "application/json", json.dumps({"service": "web", "version": VERSION}))
            return
        try:
            said = ask()
        except (OSError, ValueError) as problem:
            self.give(502, "text/plain", f"The API does not answer: {problem}\n")
            return
        self.give(
            200,
            "text/html",
            f"<p>{said['greeting']}</p> <small>page {VERSION}, API {said['version']}</small>\n",
        )

    def give(self, code, kind, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
