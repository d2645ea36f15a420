"""rigger docs"""

import pexpect


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


def test_the_browser_is_given_the_page(rigger, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nsed "s,^,seen: ," "${1#file://}"\n')
    browser.chmod(0o755)
    said = rigger("docs", "exit-codes", "--browser", env={"BROWSER": str(browser)})
    assert "<pre>Exit codes" in said.out


def test_an_error_names_the_page_that_helps(rigger, tmp_path):
    (tmp_path / "oak").mkdir()
    (tmp_path / "oak" / "rigger.yml").write_text("interface: 2\nname: oak\nrole: tree\n")
    said = rigger("module", "check", "oak", code=9)
    assert said.err.endswith("\n  More: rigger docs manifest\n")
