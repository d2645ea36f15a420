"""How Sphinx builds the manual: "make docs"."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rigger import __version__  # noqa: E402

project = "rigger"
release = version = __version__
copyright = "the authors of rigger"
extensions = ["rigger_reference"]
exclude_patterns = ["_ext", "commands", "shapes", "pictures"]
nitpicky = True

html_theme = "furo"
html_title = "rigger"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_copyright = False
graphviz_output_format = "svg"

man_pages = [
    ("commands", "rigger", "stand a platform up on any provider", "", "1"),
    ("manifest", "rigger.yml", "the manifest of a provider or a platform", "", "5"),
    ("contract", "rigger-contract", "what rigger and scripts expect of each other", "", "7"),
    ("exit-codes", "rigger-exit-codes", "the exit codes of rigger", "", "7"),
    ("variables", "rigger-variables", "the variables of scripts", "", "7"),
    ("json", "rigger-json", "the reports of -o json", "", "7"),
    ("files", "rigger-files", "the files of an environment", "", "7"),
]
