"""A web service that says its name and version, in place of the image that a real one would be; a version with "bad" fails."""

import http.server
import os

NAME, VERSION = os.environ["NAME"], os.environ["VERSION"]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500 if "bad" in VERSION else 200)
        self.end_headers()
        self.wfile.write(f"{NAME} {VERSION}\n".encode())

    def log_message(self, *words: object) -> None:
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
