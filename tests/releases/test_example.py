"""The example does what its page says: its commands, in their order, with real services."""

import os
import re
import shlex
import shutil

import pytest
from conftest import ROOT

SHOP = os.path.join(ROOT, "examples", "shop")
ENDS = {
    "--confirm-within": 5,
    "--promote": 2,
}  # of the second part: what is not confirmed, and cannot be promoted


@pytest.fixture
def page():
    """The blocks of commands of its page."""
    with open(os.path.join(SHOP, "README.rst"), encoding="utf-8") as file:
        blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", file.read())
    return [[shlex.split(line.strip()) for line in block.splitlines() if line.strip()] for block in blocks]


def run(rigger, block, ends):
    for words in block:
        if words[0] == "export":
            continue
        assert words[0] == "rigger", words
        agrees = {"deploy", "destroy"} & {*words}
        code = next((code for word, code in ends.items() if word in words), 0)
        rigger(*words[1:], *(["-y"] if agrees else []), code=code)


@pytest.mark.slow
def test_the_example_works_on_one_machine(rigger, page, tmp_path):
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True)
    rigger.env["RIGGER_PLATFORM_PATH"] = str(tmp_path / "platforms")
    deploys, bad, away = page
    try:
        run(rigger, deploys, {})
        status = rigger("release", "status").out
        assert re.search(r"stage +basket +1.0 .*The first one", status)
        assert re.search(r"prod +catalogue +1.0 .*promoted from stage", status)
        run(rigger, bad, ENDS)
        status = rigger("release", "status").out
        assert re.search(r"stage +basket +1.0 .*rollback", status) and "!" not in status
    finally:
        run(rigger, away, {})
