"""Run the tests of the Hugging Face callback with old versions of transformers.

``.venv/bin/python tools/try_oldest_transformers.py`` makes a throw-away environment for each version, which finds what
it lacks in the environment that runs this script, and runs ``tests/integration/huggingface`` in it. Needs a package
index.

``python tools/try_oldest_transformers.py 4.46.3 -- -k rows -x`` tries one version, with words for pytest.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What each of them asks for, and whatever else it needs to run beside a torch of today.
FITTING = {
    "4.46.3": ["tokenizers>=0.20,<0.21", "huggingface_hub<1", "accelerate>=1.1,<1.3", "datasets>=3,<4"],
    "4.57.1": ["tokenizers>=0.22,<0.24", "huggingface_hub<1", "accelerate>=1.10,<1.12", "datasets>=3,<4"],
}
CANNOT = {
    # Its loading of a checkpoint's random state is refused by torch 2.6 and newer (weights_only).
    "4.46.3": "not resume",
}


def try_version(version: str, words: list[str]) -> int:
    """Run the tests with one version.

    Returns:
        The exit code of pytest.
    """
    with tempfile.TemporaryDirectory(prefix=f"transformers-{version}-") as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        site = next(Path(folder).glob("lib/python*/site-packages"))
        (site / "what_it_lacks.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"transformers=={version}"]
        subprocess.run([python, *install, *FITTING[version]], check=True)  # noqa: S603 - fixed words
        shown = "import transformers, accelerate; print(transformers.__version__, accelerate.__version__)"
        subprocess.run([python, "-c", shown], check=True)  # noqa: S603 - likewise
        # Warnings of old code about newer libraries are nobody's mistake.
        quiet = ["-W", "default", "-p", "no:cacheprovider", "-q"]
        chosen = ["-k", CANNOT[version]] if version in CANNOT and "-k" not in words else []
        tests = ["-m", "pytest", "tests/integration/huggingface", *quiet, *chosen, *words]
        return subprocess.run([python, *tests], cwd=ROOT, check=False).returncode  # noqa: S603 - words for pytest


def main() -> int:
    """Try every version, or those that are named.

    Returns:
        Zero if all passed.
    """
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    versions, words = given[:cut] or list(FITTING), given[cut + 1 :]
    codes = {version: try_version(version, words) for version in versions}
    for version, code in codes.items():
        print(f"transformers {version}: {'passed' if code == 0 else f'failed ({code})'}")
    return max(codes.values())


if __name__ == "__main__":
    sys.exit(main())
