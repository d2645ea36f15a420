"""The pages of the manual, and what somebody would copy of them."""

import re

from rigger.manual import pages


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def pasted(topic):
    """Return the commands of a page's first block of shell as somebody would copy them."""
    block = re.search(r"\.\. code-block:: bash\n\n((?:    [^\n]*\n|\n)+)", read(pages.find(topic).path))
    return re.sub(r"^    ", "", block[1], flags=re.M)
