"""The API, version 1.2: a bad version, which greets from a file that nobody shipped.

Usage: python3 api.py ADDRESS PORT, with VERSION in the environment
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ["VERSION"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with open("greetings.json") as file:
                greeting = json.load(file)["hello"]
        except OSError as problem:
            self.give(500, {"error": str(problem)})
        else:
            self.give(200, {"version": VERSION, "greeting": greeting})

    def give(self, code, answer):
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
