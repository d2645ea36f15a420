"""The pages of the manual: which there are, and the text of each. Sphinx makes the same pages from the same sources."""

from __future__ import annotations

import os

from rigger.errors import BadUsage, NotReady
from rigger.files import PACKAGE
from rigger.manual import plain, reference
from rigger.text import did_you_mean
from rigger.values import frozen


@frozen
class Page:
    """One page: the topic that it is asked for by, its title and its file."""

    topic: str
    title: str
    path: str


def folder() -> str:
    """Return the folder of the sources: inside the package, or beside it where rigger runs from a clone."""
    inside = os.path.join(PACKAGE, "docs")
    found = inside if os.path.isdir(inside) else os.path.join(os.path.dirname(PACKAGE), "docs")
    if not os.path.isdir(found):
        raise NotReady(
            f"The pages of the manual are missing: there is no folder {found}.", "Install rigger again."
        )
    return found


def pages() -> list[Page]:
    """Return all pages in the order of the contents."""
    contents = _source(os.path.join(folder(), "index.rst"))
    topics = [
        line.strip() for line in contents.splitlines() if line.startswith("   ") and _exists(line.strip())
    ]
    return [_page(topic) for topic in topics]


def find(word: str) -> Page:
    """Return the page of a topic, or of the only one that begins so; raises BadUsage with what there is."""
    found = pages()
    near = [page for page in found if page.topic == word] or [
        page for page in found if page.topic.startswith(word)
    ]
    if len(near) == 1:
        return near[0]
    topics = [page.topic for page in near or found]
    what = "is several pages" if near else f"is no page{did_you_mean(word, topics)}"
    raise BadUsage(f"{word!r} {what}.", f"Topics: {', '.join(topics)}")


def text(page: Page) -> str:
    """Return a page as text for a terminal."""
    return plain.text(reference.expand(_source(page.path), folder()))


def _page(topic: str) -> Page:
    path = os.path.join(folder(), f"{topic}.rst")
    return Page(topic, _source(path).lstrip().partition("\n")[0], path)


def _exists(topic: str) -> bool:
    return bool(topic) and os.path.isfile(os.path.join(folder(), f"{topic}.rst"))


def _source(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
