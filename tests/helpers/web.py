"""A web server on loopback that gives files of a folder, and misbehaves where it is told to."""

import contextlib
import functools
import http.server
import threading
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives files; `/to/URL` leads there, `/slow/...` drips, `/endless` never ends, `/cut` breaks off."""

    def log_message(self, *words):
        pass

    def do_GET(self):
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path.startswith(("/slow/", "/endless")):
            self.send_response(200)
            self.end_headers()
            slow = self.path.startswith("/slow/")
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"#\n" if slow else b"#" * (1 << 20))
                    time.sleep(0.1 if slow else 0)
        elif self.path.startswith("/cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"version: v1\n")
        else:
            super().do_GET()


@contextlib.contextmanager
def served(folder):
    """Serve a folder; gives the URL."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
