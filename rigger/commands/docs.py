"""rigger docs"""

from __future__ import annotations

import os
import pydoc
import webbrowser

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.environments.home import Home
from rigger.errors import NotReady
from rigger.manual import html, pages
from rigger.ui.terminal import has_terminal


@command("docs")
@option("--browser", is_flag=True, help="Open the page, or the contents, in the browser.")
@argument("topic", required=False)
def docs(app: App, browser: bool, topic: str | None) -> None:
    """TOPIC is a page's name or the beginning of one; without it, the pages are listed."""
    if browser:
        _browse(app.home, pages.find(topic).topic if topic else "index")
    elif topic is None:
        app.printer.table([(page.topic, page.title) for page in pages.pages()], headers=("topic", ""))
    elif has_terminal():
        pydoc.pager(pages.text(pages.find(topic)))
    else:
        app.printer.data(pages.text(pages.find(topic)).encode())


def _browse(home: Home, topic: str) -> None:
    """Write the pages as HTML into the cache, and show one in the browser; raises NotReady where there is none."""
    home.make()
    folder = os.path.join(home.cache_dir, "manual")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    html.write(folder)
    path = os.path.join(folder, f"{topic}.html")
    if not webbrowser.open(f"file://{os.path.abspath(path)}"):
        raise NotReady("No browser could be started.", f"Open {path} yourself, or leave out --browser.")
