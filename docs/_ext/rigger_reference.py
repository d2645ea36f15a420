"""What the pages use that Sphinx does not have: parts made of the code, and screens as pictures."""

from __future__ import annotations

import io
import os
import re
import shutil
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from rich.console import Console
from rich.text import Text
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rigger.manual import reference

PICTURES = "build/docs/pictures"


class Part(SphinxDirective):
    """`.. rigger:: NAME`, as `rigger docs` reads it too."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        text = reference.part(self.arguments[0], str(self.env.srcdir))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Screen(SphinxDirective):
    """`.. screen:: NAME`: what pictures.py recorded, as SVG; `rigger docs` shows its text."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        source = os.path.join(str(self.env.srcdir), "pictures", f"{name}.ans")
        self.env.note_dependency(source)
        with open(source, encoding="utf-8") as file:
            drawn = drawing(name, file.read())
        folder = os.path.join(os.path.dirname(str(self.env.srcdir)), PICTURES)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as file:
            file.write(drawn)
        return [nodes.image(uri=f"../{PICTURES}/{name}.svg", alt=f"The screen: {name}")]


def drawing(name: str, text: str) -> str:
    """Return a screen as SVG, with the fonts of whoever looks at it."""
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(text), end="")
    title = text.partition("\n")[0].removeprefix("$ ")
    drawn = console.export_svg(title=title, unique_id=f"screen-{name}")
    return re.sub(r"@font-face \{[^}]*\}", "", drawn)


class NoGraph(SphinxDirective):
    """Stands for a graph where there is no `dot` to draw it."""

    optional_arguments = 1
    option_spec = {"alt": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        return [nodes.paragraph("", f"({self.options['alt']}.)")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("rigger", Part)
    app.add_directive("screen", Screen)
    if shutil.which("dot"):
        app.setup_extension("sphinx.ext.graphviz")
    else:
        app.add_config_value("graphviz_output_format", "svg", "html")
        app.add_directive("graphviz", NoGraph)
    return {"version": "1", "parallel_read_safe": True}
