"""Rebuild the hardware threads of processors from public collections, each at one commit.

    mkdir clones && cd clones
    git clone --bare https://github.com/linuxhw/LsCPU
    git clone --bare https://github.com/linuxhw/DMI
    git clone --bare https://github.com/quattor/template-library-standard
    git clone --bare https://github.com/vExcess/TuxTaskManager
    cd .. && python tools/build_threads.py clones

It writes ``tools/data/cpu_threads_collected.csv``, the same byte for byte from the same commits. The clones take
500 MB, and reading them two minutes.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools.build_tables import COLLECTED, usable_name  # noqa: E402 (found through the line above)

COMMITS: Final = {
    "LsCPU": "b0dfbec10bf5d0a92dbd6bb79860f374a50dc83d",  # 2022-03-21
    "DMI": "57b21bc6fdd863380e99c228c22aafcd1509528c",  # 2025-01-06
    "template-library-standard": "6fa9032a527be9118c9ff384099e9da74eab1834",  # 2025-02-20
    "TuxTaskManager": "9c48d346396c3c789c4cb93421f291da6cf9ec9b",  # 2025-06-01
}
LEAST_REPORTS: Final = 2
ALIKE: Final = 0.8

HEADER = """\
# Hardware threads of one socket, by what public collections say of the model; where two of them differ, it is left out.
# source, a letter for each collection that has the model:
# [h] machines that their users reported to linux-hardware.org, https://github.com/linuxhw/LsCPU (lscpu, 2022-03-21) and
#   https://github.com/linuxhw/DMI (dmidecode, 2025-01-06), CC BY 4.0: processors over sockets, and "Thread Count". Two
#   reports at least, of which four fifths agree in either collection, and both collections with each other; no guests.
# [q] Quattor's templates of servers, https://github.com/quattor/template-library-standard, hardware/cpu (2025-02-20),
#   Apache License 2.0: max_threads, save of Xeons before 2007, Itaniums and Xeon Phis, of which it has the cores.
# [a] AMD's list of processors, "# of Threads", as kept in https://github.com/vExcess/TuxTaskManager, utils
#   (2025-06-01), MIT License, Copyright (c) 2024 vExcess; the counts are AMD's, quoted as facts.
# Changes: names reduced to vendor, family and model. Made by tools/build_threads.py.
"""

_GUEST = re.compile(
    r"^\s+(?:Manufacturer|Product Name): .*(?:QEMU|KVM|VMware|VirtualBox|innotek|Xen|Bochs|Parallels|OpenStack|"
    r"Virtual (?:Machine|Platform)|Compute Engine|EC2|Cloud)",
    re.MULTILINE,
)
# Of these Quattor has the cores alone: SPECpower has 4 threads of the Xeons 7020 and 7110M, lscpu 272 of the Phi 7250.
_CORES_ALONE = re.compile(r"intel (?:itanium|xeon (?:phi|50[3-8]\d|7[01]\d\d))")
_HEAD = re.compile(rb"[0-9a-f]{40,64} blob (\d+)\n")
_FACT = re.compile(r'^"(model|max_threads)"\s*=\s*"?([^";]+)', re.MULTILINE)

Reports: TypeAlias = "dict[str, Counter[int]]"
"""How often each number of threads was said of a model, by its name with its case folded."""


class Clone:
    """A repository at the commit that is named for it.

    Args:
        folder: The clone.
    """

    def __init__(self, folder: Path) -> None:
        self._words = ["git", "-C", str(folder)]
        self._commit = COMMITS[folder.name.removesuffix(".git")]

    def files(self, under: str = "") -> Iterator[str]:
        """The texts of all files below a folder, one after the other, as they do not fit into memory."""
        names = self._told("ls-tree", "-r", "--format=%(objectname)", self._commit, *filter(None, [under]))
        with TemporaryFile() as wanted:
            wanted.write(names)
            wanted.seek(0)
            words = [*self._words, "cat-file", "--batch"]
            with subprocess.Popen(words, stdin=wanted, stdout=subprocess.PIPE) as reader:  # noqa: S603 - our own words
                texts = cast("IO[bytes]", reader.stdout)
                while head := texts.readline():
                    size = _HEAD.fullmatch(head)
                    if size is None:
                        raise SystemExit(f"git has no such file: {head!r}")
                    yield texts.read(int(size[1])).decode("utf-8", "replace")
                    texts.read(1)

    def file(self, path: str) -> str:
        """The text of a file."""
        return self._told("show", f"{self._commit}:{path}").decode("utf-8-sig")

    def _told(self, *words: str) -> bytes:
        return subprocess.check_output([*self._words, *words])  # noqa: S603 - our own words


def by_lscpu(texts: Iterable[str]) -> Reports:
    """The threads of a socket, by reports of lscpu from machines that are no guests.

    Args:
        texts: The reports.
    """
    reports: Reports = defaultdict(Counter)
    for text in texts:
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
        cpus, sockets = said.get("CPU(s)", ""), said.get("Socket(s)", "")
        if "Hypervisor vendor" in said or not (cpus.isdigit() and sockets.isdigit()):
            continue
        name = usable_name(said.get("Model name", ""))
        if name and int(sockets) and int(cpus) % int(sockets) == 0:
            reports[name.casefold()][int(cpus) // int(sockets)] += 1
    return reports


def by_dmi(texts: Iterable[str]) -> Reports:
    """The threads of a socket, by tables of DMI, which have a section for each, from machines that are no guests.

    Args:
        texts: The tables, as dmidecode prints them.
    """
    reports: Reports = defaultdict(Counter)
    for text in texts:
        if _GUEST.search(text):
            continue
        for section in text.split("\n\n"):
            if "Processor Information" not in section:
                continue
            said = dict(re.findall(r"^\s+(Version|Thread Count): (.+)$", section, re.MULTILINE))
            name = usable_name(said.get("Version", "").strip())
            if name and said.get("Thread Count", "").isdigit():
                reports[name.casefold()][int(said["Thread Count"])] += 1
    return reports


def by_quattor(texts: Iterable[str]) -> Reports:
    """The threads of a socket, by Quattor's templates.

    Args:
        texts: The templates, of a processor each.
    """
    reports: Reports = defaultdict(Counter)
    for text in texts:
        said = dict(_FACT.findall(text))
        name = usable_name(said.get("model", ""))
        if name and not _CORES_ALONE.match(name.casefold()) and said.get("max_threads", "").isdigit():
            reports[name.casefold()][int(said["max_threads"])] += 1
    return reports


def by_amd(text: str) -> Reports:
    """The threads of a socket, by AMD's own list.

    Args:
        text: The list, as AMD's site exports it.
    """
    reports: Reports = defaultdict(Counter)
    for row in csv.DictReader(io.StringIO(text)):
        name = usable_name(row["Name"])
        if name and row["# of Threads"].isdigit():
            reports[name.casefold()][int(row["# of Threads"])] += 1
    return reports


def seen(*collections: Reports) -> dict[str, int]:
    """What users' machines have: enough reports, most of them alike in each collection, and the collections alike.

    Args:
        collections: The reports of each.
    """
    found = {}
    for key in set().union(*collections):
        counters = [reports[key] for reports in collections if key in reports]
        most = [counter.most_common(1)[0] for counter in counters]
        are_alike = all(count >= ALIKE * counter.total() for (_, count), counter in zip(most, counters, strict=True))
        threads = {value for value, _ in most}
        if are_alike and len(threads) == 1 and sum(counter.total() for counter in counters) >= LEAST_REPORTS:
            found[key] = threads.pop()
    return found


def stated(reports: Reports) -> dict[str, int]:
    """What a list says, without the models for which it has two numbers.

    Args:
        reports: The list.
    """
    return {key: next(iter(counter)) for key, counter in reports.items() if len(counter) == 1}


def collected(by_letter: Mapping[str, Mapping[str, int]]) -> str:
    """Make the table of what all collections say.

    Args:
        by_letter: The threads by name, by the letter of the collection.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("name", "threads", "source"))
    for key in sorted(set().union(*by_letter.values())):
        said = {letter: threads[key] for letter, threads in by_letter.items() if key in threads}
        if len(set(said.values())) == 1 and all(count > 0 for count in said.values()):
            writer.writerow((key, next(iter(said.values())), "".join(said)))
    return HEADER + out.getvalue()


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, help="the folder with the clones")
    folder = parser.parse_args().clones
    clones = {name: Clone(next(folder.glob(f"{name}*"))) for name in COMMITS}
    by_letter = {
        "h": seen(by_lscpu(clones["LsCPU"].files()), by_dmi(clones["DMI"].files())),
        "q": stated(by_quattor(clones["template-library-standard"].files("hardware/cpu"))),
        "a": stated(by_amd(clones["TuxTaskManager"].file("utils/Processor Specifications.csv"))),
    }
    COLLECTED.write_text(collected(by_letter), encoding="utf-8")


if __name__ == "__main__":
    main()
