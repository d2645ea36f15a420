"""rigger docs"""

from __future__ import annotations

import os
import pydoc
import tempfile
import webbrowser

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import NotReady
from rigger.manual import pages
from rigger.ui.terminal import has_terminal


@command("docs")
@option("--browser", is_flag=True, help="Open the page in the browser.")
@argument("topic", required=False)
def docs(app: App, browser: bool, topic: str | None) -> None:
    """TOPIC is a page's name or the beginning of one; without it, the pages are listed."""
    if topic is None:
        app.printer.table([(page.topic, page.title) for page in pages.pages()], headers=("topic", ""))
        return
    page = pages.find(topic)
    text = pages.text(page)
    if browser:
        _browse(page.title, text)
    elif has_terminal():
        pydoc.pager(text)
    else:
        app.printer.data(text.encode())


def _browse(title: str, text: str) -> None:
    """Show a page in the browser; raises NotReady where there is none."""
    import html

    file = tempfile.NamedTemporaryFile(
        "w", prefix="rigger-docs-", suffix=".html", delete=False, encoding="utf-8"
    )
    with file:
        file.write(
            f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><pre>{html.escape(text)}</pre>"
        )
    if not webbrowser.open(f"file://{os.path.abspath(file.name)}"):
        raise NotReady("No browser could be started.", f"Open {file.name} yourself, or leave out --browser.")
