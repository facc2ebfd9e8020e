"""Build what is uploaded to PyPI, from a commit: the wheel, the sdist, and the list of what the wheel brings along.

    python tools/build_release.py --url https://github.com/OWNER/REPOSITORY [--commit HEAD] [--out dist] [--tag v0.1.0]

Where the project lies is said here and nowhere in the repository, which may move. On PyPI a README has no files beside
it, so its links and pictures are made absolute, to the tag of this version. The commit's own time stamps the files of
the wheel, so that a second build of it has the same bytes. The folder must be empty or missing.

Then the wheel is held to what an upload asks for: ``twine check --strict``, ``check-wheel-contents``, and at most 2 MB.
The bill of materials (CycloneDX, JSON, in `build/bill`) names what a bare ``pip install`` of the wheel brings today.

``make release URL=…`` makes the environment that this needs, `.venv-release`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
LARGEST_BYTES = 2_000_000
LINK = re.compile(r"(?P<before>!?\[[^\]]*\]\()(?P<target>[^)\s]+)(?P<after>\))")
PICTURES = (".png", ".svg", ".jpg", ".gif")
# The words of PyPI's side bar, and where each leads, below the project's address.
PAGES = {
    "Homepage": "",
    "Documentation": "/blob/v{version}/docs/index.md",
    "Source": "",
    "Changelog": "/blob/v{version}/CHANGELOG.md",
    "Issues": "/issues",
}


def run(*words: object, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command and end with it where it fails."""
    command = list(map(str, words))
    done = subprocess.run(command, cwd=cwd, check=False, env={**os.environ, **environment})  # noqa: S603 - fixed words
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}")


def asked(*words: str) -> str:
    """What git answers."""
    command = ["git", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.strip()  # noqa: S603 - fixed words


def absolute(readme: str, url: str, version: str) -> str:
    """A README whose links to files of the repository lead there from anywhere.

    Args:
        readme: In Markdown; links in blocks of code stay as they are.
        url: The project's address.
        version: Whose tag the links lead to.
    """

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        if urlsplit(target).scheme or target.startswith("#"):
            return link[0]
        kind = "raw" if target.endswith(PICTURES) else "blob"
        return f"{link['before']}{url}/{kind}/v{version}/{target}{link['after']}"

    # A picture's alternative text may run over a line, so whole passages between fences are changed at once.
    parts = re.split(r"(^```.*?^```$)", readme, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(moved, part) for part in parts)


def prepared(source: Path, url: str) -> str:
    """Make the sources ready for PyPI, and say which version they are."""
    [version] = re.findall(
        r'^__version__ = "(.+)"$', (source / "lightning_carbon" / "__init__.py").read_text(), re.MULTILINE
    )
    readme = source / "README.md"
    readme.write_text(absolute(readme.read_text(encoding="utf-8"), url, version), encoding="utf-8")
    pages = "".join(f"    {name} = {url}{page.format(version=version)}\n" for name, page in PAGES.items())
    settings = source / "setup.cfg"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[metadata]\n", f"[metadata]\nproject_urls =\n{pages}", 1), encoding="utf-8")
    return version


def unpacked(commit: str, folder: Path) -> Path:
    """The files of a commit, in a folder."""
    archive, source = folder / "source.tar", folder / "source"
    run("git", "archive", "--output", archive, commit)
    with tarfile.open(archive) as tar:
        tar.extractall(source, filter="data")
    return source


def bill_of_materials(wheel: Path, folder: Path, target: Path) -> None:
    """Write what the wheel alone brings along, as pip installs it today."""
    bare = folder / "bare"
    venv.create(bare, with_pip=False)
    python = bare / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", wheel)
    run(
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
        "--of",
        "JSON",
        "-o",
        target,
        python,
    )


def checked(url: str) -> str:
    """An address that links can be made of."""
    address = urlsplit(url)
    if address.scheme != "https" or not address.netloc or not address.path.strip("/") or address.query:
        raise argparse.ArgumentTypeError(f"{url!r} is no address like https://github.com/OWNER/REPOSITORY")
    return url.rstrip("/")


def main() -> None:
    """Build, and hold what was built to its limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, type=checked, help="where the project lies")
    parser.add_argument("--commit", default="HEAD", help="what is built")
    parser.add_argument("--tag", default="", help="fail unless this is the tag of the version")
    parser.add_argument("--out", default=ROOT / "dist", type=Path, help="where to, an empty folder or a new one")
    words = parser.parse_args()
    out = words.out.absolute()
    if out.exists() and any(out.iterdir()):
        parser.error(f"{out} holds files already: take another folder, or empty it")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = unpacked(words.commit, folder)
        version = prepared(source, words.url)
        if words.tag not in {"", f"v{version}"}:
            parser.error(f"the tag {words.tag} is not that of version {version}, v{version}")
        moment = asked("log", "-1", "--format=%ct", words.commit)
        run(sys.executable, "-m", "build", "--outdir", out, source, SOURCE_DATE_EPOCH=moment)
        [wheel] = out.glob("*.whl")
        run(sys.executable, "-m", "twine", "check", "--strict", *sorted(out.iterdir()))
        run(sys.executable, "-m", "check_wheel_contents", wheel)
        if wheel.stat().st_size > LARGEST_BYTES:
            sys.exit(f"{wheel.name} has {wheel.stat().st_size:,} bytes, over {LARGEST_BYTES:,}")
        bill = ROOT / "build" / "bill" / f"lightning_carbon-{version}.cdx.json"
        bill.parent.mkdir(parents=True, exist_ok=True)
        bill_of_materials(wheel, folder, bill)
    for path in [*sorted(out.iterdir()), bill]:
        print(f"{path.stat().st_size:>9,} bytes  {path.name}")


if __name__ == "__main__":
    main()
