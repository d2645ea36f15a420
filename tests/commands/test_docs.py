"""rigger docs"""

import os
import re

import pexpect
import pytest


def test_the_topics_are_listed(rigger):
    said = rigger("docs").out
    assert said.splitlines()[1].split()[:2] == ["tutorial", "Tutorial:"] and "\n  exit-codes " in said


def test_a_page_is_printed_where_there_is_no_terminal(rigger):
    assert rigger("docs", "exit-codes").out.startswith("Exit codes\n==========\n\n0\n    Done.\n")


def test_the_beginning_of_a_topic_will_do(rigger):
    assert rigger("docs", "exit").out == rigger("docs", "exit-codes").out


def test_another_word(rigger):
    said = rigger("docs", "glosary", code=2).err
    assert "'glosary' is no page (did you mean glossary?)." in said and "exit-codes" in said
    assert "'provider-' is several pages." in rigger("docs", "provider-", code=2).err


def test_on_a_terminal_it_is_paged(rigger):
    child = pexpect.spawn(
        rigger.argv[0],
        [*rigger.argv[1:], "docs", "exit-codes"],
        env={**rigger.env, "PAGER": "head -3"},
        encoding="utf-8",
    )
    child.expect(pexpect.EOF)
    assert child.before.split() == ["Exit", "codes", "=========="]


@pytest.fixture
def browser(tmp_path):
    """A browser that prints what it is given."""
    program = tmp_path / "browser"
    program.write_text('#!/bin/sh\nsed "s,^,seen: ," "${1#file://}"\n')
    program.chmod(0o755)
    return {"BROWSER": str(program)}


def test_the_browser_is_given_the_page(rigger, browser):
    said = rigger("docs", "exit-codes", "--browser", env=browser)
    assert "seen: <!doctype html>" in said.out and "<h1>Exit codes</h1>" in said.out


def test_the_browser_gets_the_contents_where_no_topic_is_named_and_links_lead_to_pages(rigger, browser):
    said = rigger("docs", "--browser", env=browser)
    folder = rigger.path("cache", "manual")
    assert "<h1>rigger</h1>" in said.out
    links = set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        assert not re.search(r"system-message|:doc:|^\.\. [a-z]", text, re.M)
        links |= set(re.findall(r'href="([^":]+)"', text))
    assert links == set(os.listdir(folder)) and len(links) > 30


def test_an_error_names_the_page_that_helps(rigger, tmp_path):
    (tmp_path / "oak").mkdir()
    (tmp_path / "oak" / "rigger.yml").write_text("interface: 2\nname: oak\nrole: tree\n")
    said = rigger("module", "check", "oak", code=9)
    assert said.err.endswith("\n  More: rigger docs manifest\n")
