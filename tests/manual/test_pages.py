"""The manual: every command, option, field, variable and exit code is on its page, and no page is lost."""

import os
import re

import pytest
from conftest import ROOT

from rigger import errors
from rigger.cli import help
from rigger.manual import commands, pages
from rigger.modules import contract, fields

PAGES = pages.pages()
DOCS = os.path.join(ROOT, "docs")


def text(topic):
    return pages.text(pages.find(topic))


def test_every_source_is_a_page_in_the_contents():
    sources = {name[:-4] for name in os.listdir(DOCS) if name.endswith(".rst")} - {"index"}
    assert {page.topic for page in PAGES} == sources


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.topic)
def test_a_page_fits_a_terminal(page):
    shown = pages.text(page)
    assert shown.splitlines()[0] == page.title
    assert not re.search(r":[a-z]+:`|^\.\. |``", shown, re.M)
    wide = [line for line in shown.splitlines() if len(line) > 80 and not line.startswith("rigger ")]
    assert not wide, "only commands are wider: they stay whole"
    for link in re.findall(r'"rigger docs ([a-z0-9-]+)"', shown):
        assert pages.find(link).topic == link


def test_every_command_and_option_is_described():
    page = text("commands")
    listed = [path for path, _ in commands.every()]
    assert {path.split()[1] for path in listed} == set(help.summaries())
    for path, verb in commands.every():
        section = re.search(rf"^{path}\n~+\n(.*?)(?=^~+$|\Z)", page, re.M | re.S)
        assert section, path
        names = {name for option in commands.shown(verb) for name in option.names + option.off}
        missing = [name for name in names if name.startswith("--") and name not in section[1] + page[:2000]]
        assert not missing, path


def test_what_is_added_to_a_command_is_about_one_that_there_is():
    known = {path.split(" ", 1)[1].replace(" ", "-"): verb for path, verb in commands.every()}
    for name in os.listdir(os.path.join(DOCS, "commands")):
        _, described = commands.notes(os.path.join(DOCS, "commands", name))
        options = {one for option in commands.shown(known[name[:-4]]) for one in option.names + option.off}
        invented = {one for term, _ in described for one in re.findall(r"--[a-z-]+", term)} - options
        assert not invented, name


def test_exit_codes_are_those_of_the_errors():
    kinds = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    assert errors.EXIT_CODES.keys() == kinds | {0}
    page = text("exit-codes")
    assert all(f"\n{code}\n" in page for code in errors.EXIT_CODES)


def test_errors_name_pages_that_there_are():
    topics = {kind.topic for kind in vars(errors).values() if getattr(kind, "topic", "")}
    assert topics and topics <= {page.topic for page in PAGES}


def test_every_field_and_every_variable_is_on_its_page():
    manifest, variables = text("manifest"), text("variables")
    for entry in [*fields.FIELDS, *(one for record in fields.RECORDS.values() for one in record)]:
        assert re.search(rf"^{entry.name}(?: \(required\))?$", manifest, re.M), entry.name
    assert not [name for name in contract.CONTRACT_VARIABLES if f"\n{name}\n" not in variables]


def test_every_file_of_an_environment_is_described(rigger):
    rigger("configure", "--defaults", "--provider", "noop", "--platform", "noop")
    rigger("provision")
    page = text("files")
    for folder in (rigger.home, rigger.path("environments", "noop")):
        assert not [name for name in os.listdir(folder) if name not in page]
