"""The dashboard: pages over loopback, behind a token, for requests that name this server."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.cli.dashboard.server import Dashboard
from lightning_carbon.cli.runs.choosing import open_runs
from tests.browser import browser_window
from tests.report_ledger import train, world_of
from tests.tensorboard_pages import missing_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.metering.worlds import World

PROJECT = "lisa & <co>"


class Served(NamedTuple):
    """A dashboard over a ledger with a run under way.

    Args:
        server: The dashboard.
        ledger: The ledger.
        world: The run under way.
        ended: A run that has ended.
    """

    server: Dashboard
    ledger: Path
    world: World
    ended: str

    def ask(self, path: str, host: str = "", method: str = "GET") -> http.client.HTTPResponse:
        """The answer to a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.server.server_port}")
        connection.endheaders()
        return connection.getresponse()

    def page(self, path: str = "") -> str:
        """A page below the token."""
        answer = self.ask(f"/{self.server.token}/{path}")
        assert 200 == answer.status
        return answer.read().decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve it."""
    ledger = tmp_path_factory.mktemp("ledger")
    ended = train(world_of(ledger, project="lisa", run_name="before"), 1).stop().run_id
    world = world_of(ledger, 1, project=PROJECT, run_name="<b>now</b>")
    train(world, 1)
    with Dashboard(open_runs(str(ledger)).ledger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Served(server, ledger, world, ended)
        server.shutdown()
        thread.join()


def test_all_runs_lead_to_their_pages(served: Served) -> None:
    """Each by a link below the token, with the chart of a run under way."""
    links = re.findall(rf'href="/{served.server.token}/(run/[^"]*)"', served.page())
    page = served.page(links[0])

    assert 2 == len(links)
    assert "&lt;b&gt;now&lt;/b&gt;" in page
    assert "<h2>Power over time</h2>" in page
    assert f'href="/{served.server.token}/"' in page


def test_pages_are_live_while_a_run_goes_on(served: Served) -> None:
    """What it has used since is on the page when it is asked for again, and the page asks by itself."""
    [link] = [link for link in re.findall(r'href="/[^/]*/(run/[^"]*)"', served.page()) if "lisa%20" in link]
    before = served.page(link)
    served.world.run(30.0, 1.0)

    assert before != served.page(link)
    assert 'data-refresh="5.0"' in before
    assert "data-refresh" not in served.page(f"run/lisa/{served.ended}")


@pytest.mark.parametrize("path", ["/", "/wrong/", "//", "/wrong/run/lisa/x", "/%00/", "/%C3%A9/"])
def test_without_the_token_nothing_is_told(served: Served, path: str) -> None:
    """Not even what there is."""
    answer = served.ask(path)

    assert 403 == answer.status
    assert b"lisa" not in answer.read()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:80"])
def test_a_request_that_names_another_host_is_refused(served: Served, host: str) -> None:
    """A page elsewhere cannot read the dashboard by leading its own name here."""
    assert 403 == served.ask(f"/{served.server.token}/", host).status


@pytest.mark.parametrize(
    "path", ["run/lisa/none", "run/..%2F..%2Fetc/passwd", "run/lisa", "x", "run/%2e%2e/lisa", "run//"]
)
def test_what_is_not_there_is_not_found(served: Served, path: str) -> None:
    """No path leads out of the ledger."""
    assert 404 == served.ask(f"/{served.server.token}/{path}").status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(served: Served, method: str) -> None:
    """It only reads."""
    assert 501 == served.ask(f"/{served.server.token}/", method=method).status


def test_pages_are_kept_and_framed_by_nobody(served: Served) -> None:
    """Addresses have the token, so they are sent nowhere, either."""
    answer = served.ask(f"/{served.server.token}/", method="HEAD")

    assert ("no-store", "DENY", "no-referrer", "nosniff") == tuple(
        answer.headers[name]
        for name in ("Cache-Control", "X-Frame-Options", "Referrer-Policy", "X-Content-Type-Options")
    )
    assert b"" == answer.read()


def test_a_project_shows_its_own_runs_alone(served: Served) -> None:
    """Those of others are not found."""
    with Dashboard(open_runs(str(served.ledger)).ledger, "lisa") as server:
        assert PROJECT not in server.page("")[1]
        assert 200 == server.page(f"run/lisa/{served.ended}")[0]
        assert 404 == server.page("run/lisa%20%26%20%3Cco%3E/2")[0]


def test_the_command_serves_on_loopback_and_ends_with_ctrl_c(served: Served) -> None:
    """It prints the address first, and leaves with the exit code of a program that Ctrl-C ends."""
    words = [sys.executable, "-m", "lightning_carbon", "dashboard", "--ledger", str(served.ledger)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/\n", address)
    assert (130, "Traceback" in said) == (process.returncode, False)


def test_a_port_that_is_taken_is_named(served: Served) -> None:
    """With what helps."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(app, ["dashboard", "--ledger", str(served.ledger), "--port", port])

    assert (2, 1) == (done.exit_code, done.stderr.count("\n"))
    assert f"--port {port}" in done.stderr or f"port={port}" in done.stderr


@pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}, a browser to look with")
def test_a_browser_shows_it_and_asks_nobody_else(served: Served) -> None:
    """A click on a run leads to its page, within the policy of the page."""
    with browser_window() as browser:
        browser.open(served.server.address)
        browser.ask("document.querySelector('td a').click()")
        found = [
            browser.ask("document.querySelector('h1').textContent"),
            browser.ask("document.querySelectorAll('svg').length"),
        ]

        assert [] == browser.ask("performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert ["<b>now</b>", 2] == found
