"""As much of Slack as an incoming webhook is, over TLS, as a process: python -m tests.portal.slack_server CERT FOLDER.

Prints its port. Each message is a line of `FOLDER/said`; `FOLDER/mode` may hold a status to answer with, or `hang`.
"""

import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CERTIFICATE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])


class Hook(BaseHTTPRequestHandler):
    """One post."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = (FOLDER / "mode").read_text() if (FOLDER / "mode").exists() else "200"
        if mode == "hang":
            time.sleep(60)
            return
        with (FOLDER / "said").open("ab") as said:
            said.write(self.path.encode() + b" " + mode.encode() + b" " + body + b"\n")
        self.send_response(int(mode))
        if mode == "429":
            self.send_header("Retry-After", "120")
        if mode == "302":
            self.send_header("Location", "https://elsewhere.example.com/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
