"""HTTP on loopback with connections that stay open: the stock server closes each one, which real platforms do not."""

import io
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

from sandbox.gate import ConnectionDropped, Gate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Server(ThreadedWSGIServer):
    """Serves `gate` on 127.0.0.1; `port` 0 takes a free one."""

    def __init__(self, gate: Gate, port: int) -> None:
        self._open: set[Any] = set()
        super().__init__("127.0.0.1", port, gate, KeepAliveHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Stop listening and close the connections that are still open."""
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)


class KeepAliveHandler(WSGIRequestHandler):
    """Serves several requests on one connection (the stock handler closes after each) and writes no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._read_body(environ))
        try:
            answer = Response.from_app(self.server.app, environ, buffered=True)
        except ConnectionDropped:
            self.close_connection = True
            with suppress(OSError):  # whoever called may have gone first
                self.connection.shutdown(SHUT_RDWR)
            return
        body = answer.get_data()
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if answer.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _read_body(self, environ: "WSGIEnvironment") -> bytes:
        """The whole request body, so that the next request starts at the right byte."""
        source: io.BufferedIOBase = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):
            return source.read()
        return source.read(int(environ.get("CONTENT_LENGTH") or 0))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""
