"""A real TensorBoard and a real browser over it: what the test in ``tests/integration`` and the picture's script share.

TensorBoard's pages are of two makings, Angular and Polymer, and what they show lies in shadow trees. A selector finds
its elements in all of them. Nothing here sleeps: what is waited for is asked for until it is there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, build_opener

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_SECONDS = 300.0
SIZE = (1400, 1000)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_EVERYWHERE = """
const found = [];
const walk = (root) => {
  for (const one of root.querySelectorAll('*')) {
    if (one.matches(arguments[0])) found.push(one);
    if (one.shadowRoot) walk(one.shadowRoot);
  }
};
walk(document);
"""

T = TypeVar("T")


def missing_tools() -> str:
    """What a browser would need and this machine lacks; empty where nothing does."""
    lacks = []
    if browser() is None:
        lacks.append("chromium")
    if shutil.which("chromedriver") is None:
        lacks.append("chromedriver")
    return " and ".join(lacks)


def browser() -> str | None:
    """Where the browser is."""
    return next((path for path in map(shutil.which, _BROWSERS) if path is not None), None)


class Board:
    """A TensorBoard that serves.

    Args:
        url: Where, with a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = build_opener(ProxyHandler({}))

    def get(self, route: str, **query: str) -> bytes:
        """What it answers to a request for data, such as ``scalars/tags``."""
        address = f"{self.url}data/plugin/{route}{'?' + urlencode(query) if query else ''}"
        with self._opener.open(address, timeout=PATIENCE_SECONDS) as answer:
            return bytes(answer.read())

    def ask(self, route: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """The same, where it is JSON."""
        return json.loads(self.get(route, **query))

    def wait_for(self, ask: Callable[[], T], holds: Callable[[T], bool]) -> T:
        """Ask until an answer is as it should be: logs are read in the background.

        Raises:
            TimeoutError: It never was.
        """
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not holds(answer := ask()):
            if time.monotonic() > give_up:
                raise TimeoutError(f"TensorBoard still answers {answer!r}")
        return answer


class Pages:
    """The pages of a TensorBoard in a browser.

    Args:
        driver: The browser.
        url: Where TensorBoard is.
    """

    def __init__(self, driver: Any, url: str) -> None:  # noqa: ANN401 - selenium's
        self.driver = driver
        self._url = url

    def open(self, tab: str, **query: str) -> None:
        """Open a tab afresh, by the name that is in its address: ``timeseries``, ``custom_scalars``, ``text``..."""
        self.driver.get("about:blank")
        words = urlencode(query, quote_via=quote)
        self.driver.get(f"{self._url}{'?' + words if words else ''}#{tab}")

    def every(self, selector: str, value: str = "one.innerText || one.textContent || ''") -> list[Any]:
        """A value of every element that a selector finds, in all shadow trees.

        Args:
            selector: In CSS.
            value: In JavaScript, of the element ``one``.
        """
        found = self.driver.execute_script(f"{_EVERYWHERE} return found.map((one) => {value});", selector)
        return list(found)

    def wait_for(self, count: int, selector: str, value: str = "one.innerText || one.textContent || ''") -> list[Any]:
        """The same, once there are so many elements or more that have such a value.

        Raises:
            TimeoutException: There never were.
        """
        return self.until(
            lambda: (
                found if len(found := [element for element in self.every(selector, value) if element]) >= count else []
            )
        )

    def until(self, look: Callable[[], T]) -> T:
        """Look until there is something to see.

        Raises:
            TimeoutException: There never was.
        """
        found: T = WebDriverWait(self.driver, PATIENCE_SECONDS, 0.1, [WebDriverException]).until(lambda _: look())
        return found

    def click(self, selector: str, words: str = "", within: str = "") -> None:
        """Click on all that a selector finds.

        Args:
            selector: In CSS.
            words: Only where these words are.
            within: Rather on the first element of this selector in each.
        """
        click = "(arguments[2] ? one.querySelector(arguments[2]) : one).click()"
        script = (
            f"{_EVERYWHERE} found.filter((one) => one.textContent.includes(arguments[1])).forEach((one) => {click});"
        )
        self.driver.execute_script(script, selector, words, within)


@contextmanager
def tensorboard(logs: Path) -> Iterator[Board]:
    """Start a TensorBoard over a folder of logs, on a free port of this machine alone.

    Raises:
        RuntimeError: It did not start; the message has its words.
    """
    words = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"]
    # Its other way of reading logs starts a server of its own, which may outlive it.
    words += ["--load_fast", "false", "--reload_interval", "1"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said, subprocess.Popen(words, stderr=said) as process:
        try:
            yield Board(_address(process, lambda: _read(said)))
        finally:
            process.terminate()


@contextmanager
def pages(board: Board) -> Iterator[Pages]:
    """Start a browser, without a window and with a profile that is gone afterwards."""
    options = Options()
    options.binary_location = browser() or ""
    with tempfile.TemporaryDirectory(prefix="lightning-carbon-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}"):
            options.add_argument(flag)
        # The driver's path is given, or selenium would look for one on the network.
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.set_page_load_timeout(PATIENCE_SECONDS)
            yield Pages(driver, board.url)
        finally:
            driver.quit()


def _address(process: subprocess.Popen[bytes], said: Callable[[], str]) -> str:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (match := re.search(r"at (http://127\.0\.0\.1:\d+/)", said())) is None:
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"tensorboard did not start: {said()}")
    return match[1]


def _read(file: Any) -> str:  # noqa: ANN401 - a text file
    file.seek(0)
    return str(file.read())
