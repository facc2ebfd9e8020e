"""The pages with the reference: they build without a warning, and nothing that is public is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from selenium.webdriver.support.ui import WebDriverWait
from sphinx.util.inventory import InventoryFile
from typer.main import get_command

import lightning_carbon
from lightning_carbon.cli import NAME
from lightning_carbon.cli.app import app
from tests.browser import Browser, browser_window
from tests.documents import DOCUMENTS, ROOT
from tests.tensorboard_pages import missing_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PUBLIC_MODULES = (ROOT / "tests" / "data" / "public_modules.txt").read_text(encoding="utf-8").split()
SEARCHES = {
    "PUE": "docs/howto/region-and-pue.html",
    "nvidia-smi": "docs/questions.html",
    "CodeCarbon": "docs/coming-from.html",
}
"""What people look for, and a page that has to be among the answers."""
FOUND = "[...document.querySelectorAll('#search-results li a')].map((link) => link.href.split('#')[0])"
PHONE, DESKTOP = 390, 1440
PATIENCE_SECONDS = 100
BUILD = (sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--conf-dir", str(ROOT / "docs"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build them as `make docs` does, elsewhere, with nothing left in the working tree."""
    folder = tmp_path_factory.mktemp("docs")
    words = ["--builder", "html", "--doctree-dir", str(folder / "doctrees"), str(ROOT), str(folder / "html")]
    done = subprocess.run([*BUILD, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def described(pages: Path) -> dict[str, str]:
    """Where each module, class, function and constant is described, by its full name."""
    inventory = InventoryFile.loads((pages / "objects.inv").read_bytes(), uri="")
    return {
        name: item.uri.replace("$", name)
        for kind, items in inventory.data.items()
        if kind.startswith("py:")
        for name, item in items.items()
    }


def commands(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - click's, or typer's copy of it
    """Every command of the command line, with those that it belongs to."""
    yield name
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {below}", subcommand)


def test_every_public_name_is_described(described: dict[str, str]) -> None:
    """Each under the name that users import, on the page of the front doors."""
    names = [f"lightning_carbon.{name}" for name in lightning_carbon.__all__]

    assert {"docs/reference/frontdoors.html"} == {described.get(name, name).split("#")[0] for name in names}


def test_every_public_module_and_what_it_defines_is_described(described: dict[str, str]) -> None:
    """No public module is left out, and no class or function in one that does not hide its name."""
    public = set(lightning_carbon.__all__)
    missing = []
    for name in PUBLIC_MODULES:
        module = import_module(name)
        own = [
            f"{name}.{member}"
            for member, thing in vars(module).items()
            if not member.startswith("_") and member not in public and getattr(thing, "__module__", None) == name
            if callable(thing) and getattr(thing, "__qualname__", None) == member
        ]
        missing += [wanted for wanted in (name, *own) if wanted not in described]

    assert ["lightning_carbon"] == missing  # its names are described one by one, under the headings of the front doors
    assert "lightning_carbon.integrations.accelerate.tell_trackers" in described


def test_the_canonical_home_of_a_public_name_leads_to_it(described: dict[str, str]) -> None:
    """Those who link to where a class is defined get to its description, too."""
    assert described["lightning_carbon.meter.Meter"].split("#")[0] == "docs/reference/frontdoors.html"


def test_every_command_is_described(pages: Path) -> None:
    """With each of its options."""
    text = (pages / "docs" / "reference" / "cli.html").read_text(encoding="utf-8")
    top: Any = get_command(app)
    options = {
        option for parameter in top.commands["run"].params for option in parameter.opts if option.startswith("--")
    }

    assert [] == [name for name in commands(NAME, top) if f'<span class="pre">{name.split()[-1]}</span>' not in text]
    assert [] == [option for option in options if option not in text]


def test_every_page_is_one(pages: Path) -> None:
    """README.md and its neighbours are among them, as they are in the repository."""
    assert [] == [page for page in DOCUMENTS if not (pages / page).with_suffix(".html").is_file()]


def test_links_between_the_pages_lead_somewhere(pages: Path) -> None:
    """Whatever a built page links to beside it is there, down to the anchor, and so are its scripts and pictures."""
    texts = {page: page.read_text(encoding="utf-8") for page in pages.rglob("*.html")}
    ids = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in texts.items()}
    broken = []
    for page, text in texts.items():
        for link in set(re.findall(r'\b(?:href|src)="([^"]+)"', text)):
            name, _, anchor = unquote(unescape(link)).partition("#")
            target = (page.parent / name.partition("?")[0]).resolve() if name else page
            if re.match(r"(?:https?|mailto|data|javascript):", link):
                continue
            if not target.is_file() or (anchor and target in ids and anchor not in ids[target]):
                broken.append(f"{page.relative_to(pages)}: {link}")

    assert [] == broken


def finds(browser: Browser, wanted: str, _driver: object) -> bool:
    """Whether a page is among those that the search has found so far."""
    return wanted in {address.split("/html/")[-1].partition("?")[0] for address in browser.ask(FOUND)}


@pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}, a browser to look with")
def test_the_search_works_from_a_folder(pages: Path) -> None:
    """Without a server and a network, what people ask for is found, on a page that is no wider than a phone."""
    with browser_window() as browser:
        for words, wanted in SEARCHES.items():
            browser.open(f"{(pages / 'search.html').as_uri()}?q={words}", width=DESKTOP)
            found = partial(finds, browser, wanted)

            assert WebDriverWait(browser.driver, PATIENCE_SECONDS).until(found)
        for page in ("index", "tutorials/lightning", "coming-from", "gallery", "accuracy"):
            browser.open(pages / "docs" / f"{page}.html", width=PHONE)

            assert (page, PHONE) == (page, browser.ask("document.documentElement.scrollWidth"))


def test_a_mistake_would_be_noticed(tmp_path: Path) -> None:
    """The build above can fail: names and links that lead nowhere are refused, each of them by name."""
    wrong = (
        "{class}`lightning_carbon.Metre`",
        "[gone](gone.md)",
        "```{eval-rst}\n.. autofunction:: lightning_carbon.autologue\n```",
    )
    (tmp_path / "index.md").write_text("\n\n".join(["# Page", *wrong]), encoding="utf-8")
    words = ["-D", "root_doc=index", "-D", "include_patterns=index.md", "--builder", "html", str(tmp_path)]
    done = subprocess.run([*BUILD, *words, str(tmp_path / "html")], capture_output=True, text=True, check=False)

    assert (1, True, True, True) == (
        done.returncode,
        "py:class reference target not found: lightning_carbon.Metre" in done.stderr,
        "gone.md" in done.stderr,
        "autologue" in done.stderr,
    )
