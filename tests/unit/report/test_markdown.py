"""The summary on a page: the terminal's words and figures, laid out."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.markdown import summary_markdown
from tests.strategies import run_records
from tests.unit.records.samples import FULL, NOTHING, SMALL

HEAD = """\
#### Run baseline (20261121T101112-3fa2) of project lisa: completed after 1 min 28 s

**16.8 kJ (machine), 3.40 gCO2e, 0.210 to 8.12 gCO2e (90 %)**

| Domain |  | energy | share | mean power | covered | how |
| --- | --- | ---: | ---: | ---: | ---: | --- |
| GPU | NVIDIA H100 80GB HBM3 | 12.0 kJ | 88.6 % | 136 W | &gt;99.9 % | counter ±5 % |
| CPU | AMD EPYC 9654 96-Core P… | 1.55 kJ | 11.4 % | 17.5 W | 52.0 % | modelled ±50 % |
| &nbsp;&nbsp;&nbsp;&nbsp;memory | DRAM | 100 J | within | 1.14 W | 100.0 % | modelled ±50 % |
| measured |  | 12.0 kJ | 88.6 % | 136 W |  | read from sensors |
| modelled |  | 1.55 kJ | 11.4 % | 17.5 W |  | computed, no sensor |
| **total** |  | **13.5 kJ** | **100.0 %** | **154 W** | **76.0 %** | **12.7 to 14.4 kJ (90 %)** |
| rest | of the machine, modelled | 3.27 kJ |  | 37.1 W |  | 1.20 to 4.40 kJ |
| machine | at its plug | 16.8 kJ |  | 191 W |  | 15.1 to 18.5 kJ (90 %) |

&nbsp;

| Phase | energy | share | mean power | time |
| --- | ---: | ---: | ---: | ---: |
| setup | 300 J | 2.2 % | 73.2 W | 4.10 s |
"""

MISSING = (
    r"""
**Not measured**

- lost: CPU AMD EPYC 9654 96-Core Processor, the long name: its process table could not be read any more; """
    r"""\
readings cover 52.0 % of the run, the rest is not counted
- in part: ends of steps of rank 1: the device's clock failed, so some are the host's: RuntimeError: device not ready
- rapl: package 0, package 1: energy\_uj is readable by root only, as Linux does since 5.10 (CVE-2020-8694)
    - fix: `sudo chmod a+r /sys/class/powercap/intel-rapl:0/energy_uj`

**Counted in other runs, too**

- about 5.44 kJ in 40.0 s: NVIDIA H100 80GB HBM3: run 20261121T101130-77cd of project bart metered the same hardware

Record: /home/lisa/"""
)


def words(html_or_text: str) -> list[str]:
    """The words of a text, without what lays it out."""
    plain = re.sub(r"<[^>]+>", " ", html_or_text).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")
    return plain.replace("\xa0", " ").replace("&amp;", "&").split()


def rendered(markdown: str) -> str:
    """The page, as GitHub would have it."""
    return str(MarkdownIt("commonmark").enable("table").render(markdown))


def test_a_page_word_for_word() -> None:
    """The totals come first, tables stand apart, commands can be copied."""
    page = summary_markdown(FULL)

    assert page.startswith(HEAD)
    assert MISSING.replace("\\\n", "") in page


@pytest.mark.parametrize("record", [FULL, SMALL, NOTHING])
def test_a_page_says_what_the_terminal_says(record: RunRecord) -> None:
    """The same words in the same order; only the totals are told once more, at the beginning."""
    page = words(rendered(summary_markdown(record)))
    terminal = record.summary().split()
    headline = len(page) - len(terminal)
    title = len(record.summary().splitlines()[0].split())

    assert terminal == page[:title] + page[title + headline :]
    assert (headline > 0) == (record.energy.total_joules is not None)


def test_names_are_text() -> None:
    """Whatever is in a name, it is shown as it was given, and makes no table, no emphasis and no link."""
    name = "a|b *c* _d_ `e` <f> [g](h) \\i #j & k"
    page = rendered(summary_markdown(replace(SMALL, run_name=name)))

    assert name in " ".join(words(page)).replace("&amp;", "&")
    assert "<em>" not in page
    assert "<a " not in page


@given(run_records)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_record_has_a_page(record: RunRecord) -> None:
    """Whatever is absent from it: a title first, tables with as many cells in every row, and no end of line."""
    page = summary_markdown(record)
    lines = page.split("\n")

    assert page == page.strip("\n")
    assert lines[0].startswith("#### Run ")
    for line, after in pairwise(lines):
        if line.startswith("| ") and after.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"(?<!\\)\|", after))
