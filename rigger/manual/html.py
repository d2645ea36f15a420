"""The pages as HTML that a browser opens from a folder: what `rigger docs --browser` shows. docutils makes it."""

from __future__ import annotations

import os
from html import escape

from rigger.errors import NotReady
from rigger.manual import pages, reference
from rigger.operations.graph import svg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

INDEX = "index"
STYLE = """
body { display: flex; max-width: 72em; margin: auto; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff }
nav { flex: 0 0 17em; padding: 1em; font-size: 14px } nav a { display: block; padding: 1px 0 }
main { min-width: 0; padding: 0 2em 4em } a { color: #0b57a4; text-decoration: none } a:hover { text-decoration: underline }
pre, .literal { font: 14px/1.4 ui-monospace, monospace; background: #f3f4f6 } pre { padding: .7em; overflow-x: auto }
dt { font-weight: 600; margin-top: .6em } dd { margin-left: 1.5em } .caption { font-weight: 600; margin-top: 1em }
svg { max-width: 100%; height: auto } .warning { border-left: 4px solid #d97706; padding-left: 1em }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1f } a { color: #7db7f0 }
  pre, .literal { background: #2a2a30 } svg { background: #fff } }
"""
SETTINGS = {
    "report_level": 3,
    "halt_level": 3,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "initial_header_level": 1,
    "doctitle_xform": False,
}


def write(folder: str) -> None:
    """Write every page, and the contents as index.html, into a folder; the pages are linked with each other."""
    from docutils.core import publish_parts  # slow to import

    found = pages.pages()
    _teach({page.topic: page.title for page in found})
    titles = [(page.topic, page.title, page.path) for page in found]
    titles.append((INDEX, "rigger", os.path.join(pages.folder(), f"{INDEX}.rst")))
    for topic, title, path in titles:
        with open(path, encoding="utf-8") as file:
            source = reference.expand(file.read(), pages.folder())
        body = publish_parts(source, source_path=path, writer="html5", settings_overrides=SETTINGS)["body"]
        with open(os.path.join(folder, f"{topic}.html"), "w", encoding="utf-8") as file:
            file.write(_page(title, body, found))


def _page(title: str, body: str, found: Sequence[pages.Page]) -> str:
    links = "".join(f'<a href="{page.topic}.html">{escape(page.title)}</a>' for page in found)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>{escape(title)}</title><style>{STYLE}</style></head>'
        f'<body><nav><a href="{INDEX}.html"><b>rigger</b></a>{links}</nav><main>{body}</main></body></html>\n'
    )


def _teach(titles: Mapping[str, str]) -> None:
    """Teach docutils what Sphinx adds to it, as far as the pages use it."""
    from docutils.parsers.rst import directives, roles

    roles.register_local_role("doc", _link_role(titles))
    directives.register_directive("toctree", _contents(titles))
    directives.register_directive("graphviz", _drawing())


def _link_role(titles: Mapping[str, str]) -> Any:
    """Return `doc`: a link to a page."""
    from docutils import nodes

    def doc(name: str, rawtext: str, text: str, *rest: Any) -> Any:
        words, _, target = text.rpartition("<")
        topic = target.rstrip("> ") if words else text
        return [nodes.reference(rawtext, words.strip() or titles[topic], refuri=f"{topic}.html")], []

    return doc


def _contents(titles: Mapping[str, str]) -> Any:
    """Return `toctree`: a title and links."""
    from docutils import nodes
    from docutils.parsers.rst import Directive, directives

    class Contents(Directive):  # type: ignore[misc]
        has_content = True
        option_spec = {"caption": directives.unchanged, "maxdepth": directives.unchanged}

        def run(self) -> list[Any]:
            items = nodes.bullet_list()
            for topic in filter(None, self.content):
                link = nodes.reference("", titles[topic], refuri=f"{topic}.html")
                items += nodes.list_item("", nodes.paragraph("", "", link))
            return [nodes.paragraph("", self.options["caption"], classes=["caption"]), items]

    return Contents


def _drawing() -> Any:
    """Return `graphviz`: a picture; where there is no Graphviz, what it shows in words."""
    from docutils import nodes
    from docutils.parsers.rst import Directive, directives

    class Drawing(Directive):  # type: ignore[misc]
        required_arguments = 1
        option_spec = {"alt": directives.unchanged}

        def run(self) -> list[Any]:
            with open(os.path.join(pages.folder(), self.arguments[0]), encoding="utf-8") as file:
                source = file.read()
            try:
                drawn = svg(source)
            except NotReady:
                return [nodes.paragraph("", f"({self.options['alt']}.)")]
            return [nodes.raw("", drawn[drawn.index("<svg") :], format="html")]

    return Drawing
