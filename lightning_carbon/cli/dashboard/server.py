"""A server of pages about a ledger, for this machine alone: read-only, and behind a token that its address has.

The server of the standard library does: it answers a person or two, and each page is made when it is asked for. It
listens on loopback, and answers those requests alone that have the token and name this host and port. A page elsewhere
that leads its own name here (DNS rebinding) names another host. As ``runs`` does, reading closes the records of runs
that are dead.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from lightning_carbon.cli.report.making import project_html, run_html
from lightning_carbon.errors import LightningCarbonError

if TYPE_CHECKING:
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.report.pages.project_page import RunLine

LOOPBACK: Final = "127.0.0.1"
REFRESH_SECONDS: Final = 5.0
"""How often a page is fetched again while its run goes on; ours."""
_NAMES: Final = (LOOPBACK, "localhost")
_TOKEN_BYTES: Final = 24
_TIMEOUT_SECONDS: Final = 30.0
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_FOUND: Final = HTTPStatus.NOT_FOUND, "<h1>There is no such page</h1>"
_RUN: Final = "run"
_PARTS: Final = 3

logger = logging.getLogger("lightning_carbon")


class Dashboard(ThreadingHTTPServer):
    """The server.

    Args:
        ledger: The ledger.
        project: The project whose runs are shown; ``None`` for all.
        port: The port; 0 for any that is free.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads = True

    def __init__(self, ledger: Ledger, project: str | None = None, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._ledger = ledger
        self._project = project
        self._making = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def address(self) -> str:
        """The address of the page of all runs, which is a secret."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def is_meant(self, host: str) -> bool:
        """Whether a request names this server."""
        return host in {f"{name}:{self.server_port}" for name in _NAMES}

    def page(self, path: str) -> tuple[HTTPStatus, str]:
        """The page of a path below the token; one page is made at a time.

        Args:
            path: Empty for all runs, ``run/PROJECT/RUN`` for a run.
        """
        with self._making:
            try:
                if not path:
                    return HTTPStatus.OK, self._all_runs()
                words = [unquote(word) for word in path.split("/")]
                if len(words) == _PARTS and words[0] == _RUN:
                    project = self._ledger.check_project(words[1])
                    if self._project not in {None, project}:
                        return _NOT_FOUND
                    record = self._ledger.find(words[2], project)
                    home = f"/{self.token}/"
                    return HTTPStatus.OK, run_html(self._ledger, record, home=home, refresh_seconds=REFRESH_SECONDS)
            except LightningCarbonError:
                return _NOT_FOUND
            except Exception:
                logger.exception("a page of the dashboard could not be made")
                return HTTPStatus.INTERNAL_SERVER_ERROR, "<h1>This page could not be made</h1>"
        return _NOT_FOUND

    def _all_runs(self) -> str:
        return project_html(self._ledger, self._project, link=self._link, refresh_seconds=REFRESH_SECONDS)

    def _link(self, line: RunLine) -> str:
        return f"/{self.token}/{_RUN}/{quote(line.project, safe='')}/{quote(line.run_id, safe='')}"


class _Handler(BaseHTTPRequestHandler):
    """Answers a request."""

    server: Dashboard
    server_version = "lightning-carbon"
    sys_version = ""
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        """Answer without it."""
        self._answer(has_body=False)

    def _answer(self, *, has_body: bool) -> None:
        status, text = self._page()
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if has_body:
            self.wfile.write(data)

    def _page(self) -> tuple[HTTPStatus, str]:
        token, _, path = urlsplit(self.path).path.removeprefix("/").partition("/")
        is_meant = self.server.is_meant(self.headers.get("Host", ""))
        if not is_meant or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return HTTPStatus.FORBIDDEN, "<h1>Open the address that lightning-carbon dashboard has printed</h1>"
        return self.server.page(path)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - of the standard library
        """Say nothing: addresses have the token."""
