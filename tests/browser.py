"""Looking at pages of reports in a real browser: at several widths, in light and dark, with axe-core from npm."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.tensorboard_pages import Board, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

AXE: Final = "axe-core@4.10.3"
AXE_SHA256: Final = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
"""Of the file that npm hands out."""
_RUN_AXE: Final = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then((found) =>
  done(found.violations.map((broken) => broken.id + ': ' + broken.nodes.map((node) => node.html).join(' '))));
"""


class Browser:
    """A browser that looks at pages.

    Args:
        driver: The driver of selenium.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - selenium's
        self.driver = driver

    def open(self, address: str | Path, *, width: int = 1440, scheme: str = "light") -> None:
        """Open a page at a width, in the light or in the dark."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(address.absolute().as_uri() if isinstance(address, Path) else address)

    def ask(self, script: str) -> Any:  # noqa: ANN401 - whatever JavaScript answers
        """The value of an expression of JavaScript."""
        return self.driver.execute_script(f"return {script};")

    def violations(self, axe: str) -> list[str]:
        """What axe-core finds on the page."""
        self.driver.execute_script(axe)
        return list(self.driver.execute_async_script(_RUN_AXE))

    def picture(self, most_height: int) -> bytes:
        """The page as PNG, from its top."""
        width = self.ask("document.documentElement.clientWidth")
        height = min(most_height, self.ask("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        found = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        return base64.b64decode(found["data"])


@contextmanager
def browser_window() -> Iterator[Browser]:
    """Start a browser, without a window and with a profile that is gone afterwards."""
    with pages(Board("about:blank")) as opened:
        yield Browser(opened.driver)


def axe_source(folder: Path) -> str:
    """The source of axe-core, by npm.

    Raises:
        LookupError: There is no npm, or it does not reach its registry.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise LookupError("needs npm, for axe-core")
    words = [npm, "pack", AXE, "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        raise LookupError("npm did not answer") from None
    found = [*folder.glob("axe-core-*.tgz")]
    if done.returncode or not found:
        raise LookupError(f"npm has no axe-core here: {done.stderr.strip()[:200]}")
    assert hashlib.sha256(found[0].read_bytes()).hexdigest() == AXE_SHA256
    with tarfile.open(found[0]) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()
