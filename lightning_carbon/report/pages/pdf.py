"""A page as PDF, laid out by WeasyPrint from the same HTML as in a browser.

Needs WeasyPrint (the extra ``pdf``) and the system's Pango. Nothing is fetched: not from a network, not from a disk.
"""

from __future__ import annotations

import re
from typing import Final

from lightning_carbon.errors import ConfigError

EXTRA: Final = "pip install 'lightning-carbon[pdf]'"
_STYLE: Final = """
@page { size: A4; margin: 15mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
h1 { font-size: 1.6rem; }
.headlines { grid-template-columns: repeat(4, 1fr); }
.charts { grid-template-columns: repeat(2, 1fr); gap: 0.6rem; }
table { font-size: 0.75rem; }
"""
"""What a sheet of paper has instead of a window whose width is not known."""

_BUTTON: Final = re.compile(r"</?button\b[^>]*>")
"""What sorts a table in a window; what users have written holds no tags."""


def pdf_of(html: str) -> bytes:
    """A page as PDF.

    Args:
        html: The page as HTML.

    Raises:
        ImportError: There is no WeasyPrint.
        OSError: There is no Pango.
    """
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    page = _BUTTON.sub("", html).replace("</style>", f"{_STYLE}</style>", 1)
    drawn: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf()
    return drawn


def with_weasyprint(output: str) -> None:
    """See that what lays out a PDF is installed.

    Args:
        output: The file that is asked for, for the error.

    Raises:
        ConfigError: WeasyPrint or Pango is missing; the error names the extra.
    """
    instead = "or give a name that ends in .html, and print it to a file from a browser"
    try:
        import weasyprint  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ConfigError("output", output, f"a PDF needs {error.name}: {EXTRA}; {instead}.") from None
    except OSError:
        fix = f"WeasyPrint does not find Pango: apt-get install libpangoft2-1.0-0; {instead}."
        raise ConfigError("output", output, fix) from None
