"""Show the built book in a browser on this machine: ``make serve``."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and does not tell which."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def serve(port: int, folder: str = "_build/html") -> None:
    """Serve ``folder`` until Ctrl-C; leaves the program with one line if that cannot be."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=folder))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "ports go up to 65535"
        sys.exit(f"error: PORT is {port}, which cannot be used ({why}); name another with PORT=…")
    with server:
        print(f"open http://localhost:{port}, stop with Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
