"""Messages use plain words: those that the glossary names as not used are in no text that a person reads."""

import ast
import os
import re

import pytest
import yaml
from conftest import ROOT

from rigger.manual import pages

GLOSSARY = pages.find("glossary")
TITLE = "Words that messages do not use\n"
BASES = ("rigger", "providers")


def unused():
    """Return the words that the glossary bans, as a pattern."""
    with open(GLOSSARY.path, encoding="utf-8") as file:
        lines = [line for line in file.read().partition(TITLE)[2].splitlines() if line.startswith("``")]
    words, allowed = [], []
    for line in lines:
        banned, _, but = line.partition("(but not ")
        words += re.findall("``(.*?)``", banned)
        allowed += re.findall("``(.*?)``", but)
    assert len(words) > 15
    beside = "".join(rf"(?!{re.escape(word)}\b)" for word in allowed)
    return re.compile(rf"\b{beside}(?:{'|'.join(map(re.escape, words))})\b", re.I)


UNUSED = unused()


def of_python(path):
    """Yield the texts of a file that are no docstrings, each with its line."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def of_shell(path):
    """Yield the lines of a script that are no comments."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            yield number, re.sub(r"(^|\s)#.*", "", line)


def of_manifest(path):
    """Yield the texts of a manifest."""
    with open(path, encoding="utf-8") as file:
        waiting = [yaml.load(file, yaml.BaseLoader)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield 0, value
        else:
            waiting += value.values() if isinstance(value, dict) else value


def texts():
    for base in BASES:
        for folder, folders, names in os.walk(os.path.join(ROOT, base)):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".py"):
                    read = of_python
                elif name == "rigger.yml":
                    read = of_manifest
                elif is_script(path):
                    read = of_shell
                else:
                    continue
                yield from ((f"{os.path.relpath(path, ROOT)}:{line}", text) for line, text in read(path))


def is_script(path):
    with open(path, "rb") as file:
        return path.endswith(".sh") or re.match(rb"#!.*sh", file.readline()) is not None


def test_no_message_uses_them():
    found = [
        f"{where}: {word[0]!r} in {text.strip()[:80]!r}"
        for where, text in texts()
        if (word := UNUSED.search(text))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.topic)
def test_no_page_uses_them(page):
    shown = pages.text(page).partition(TITLE)[0]
    found = [line for line in shown.splitlines() if UNUSED.search(line)]
    assert not found


@pytest.mark.parametrize(
    "text", ["How shall it be?", "Nobody can be asked.", "Left as it is.", "It lies there."]
)
def test_they_are_found(text):
    assert UNUSED.search(text)


@pytest.mark.parametrize("text", ["not run, as it is not installed", "relies on it", "believe"])
def test_other_words_are_not(text):
    assert not UNUSED.search(text)
