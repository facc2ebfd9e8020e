"""The examples in docstrings, which the reference shows: each is run, and says what it says there."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def with_examples() -> list[str]:
    """The modules that have an example in a docstring."""
    found = (file for file in (ROOT / "lightning_carbon").rglob("*.py") if ">>> " in file.read_text(encoding="utf-8"))
    names = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in found)
    return sorted(name.removesuffix(".__init__") for name in names)


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_of_a_module_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, with a ledger of its own, they print what the reader is told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder(exclude_empty=True).find(import_module(name)):
        runner.run(example, out=said.append)
    found = runner.summarize(verbose=False)

    assert (0, []) == (found.failed, said)
    assert found.attempted > 0


def test_the_front_doors_have_examples() -> None:
    """Whoever looks up one of the names that scripts begin with sees it used."""
    homes = {"meter", "integrations.lightning.callback", "integrations.huggingface.callback"}
    homes |= {"integrations.autolog.automatic"}

    assert {f"lightning_carbon.{home}" for home in homes} <= set(with_examples())
