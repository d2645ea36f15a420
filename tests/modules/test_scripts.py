"""A script: can it run, and which bytes is it?"""

import hashlib
import os

import pytest

from rigger.modules import kinds, scripts
from rigger.sha256 import digest_of_file


@pytest.fixture
def script(tmp_path):
    """Write a file and return its path."""

    def write(content=b"#!/bin/sh\n", name="create", mode=0o755):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
        return str(tmp_path / name)

    return write


# Can it run?


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"#!/bin/sh\n", 0o755, None),
        (b"#!/no/such/program\n", 0o755, None),
        (b"\x7fELF\x02", 0o755, None),
        (b"\xcf\xfa\xed\xfe", 0o755, None),
        (b"#!/bin/sh\n", 0o644, "is not executable"),
        (b"", 0o755, "has no #! line"),
        (b"true\n", 0o755, "has no #! line"),
        (
            b"#!/bin/sh\r\n",
            0o755,
            "has a #! line that ends as Windows ends lines: the system takes that for a part of it",
        ),
    ],
)
def test_why_a_file_cannot_be_executed(script, content, mode, reason):
    assert scripts.script_problem(script(content, mode=mode)) == reason


def test_what_is_no_file_is_no_script(tmp_path):
    os.mkfifo(tmp_path / "create")
    assert scripts.script_problem(str(tmp_path / "create")) == "is no file"
    assert scripts.script_problem(str(tmp_path)) == "is no file"
    assert scripts.script_problem(str(tmp_path / "none")) == "cannot be read (No such file or directory)"


# Which bytes is it?


def test_a_digest_is_that_of_the_bytes(script):
    content = b"#!/bin/sh\n" + b"x" * (3 << 20)
    assert digest_of_file(script(content)) == hashlib.sha256(content).hexdigest()


def test_a_link_counts_as_the_file_that_it_leads_to(script, tmp_path):
    path, link = script(), tmp_path / "link"
    link.symlink_to("create")
    assert scripts.content_digest(str(link)) == scripts.content_digest(path) == digest_of_file(path)


def test_another_link_counts_by_where_it_leads(tmp_path):
    link, digests = tmp_path / "link", set()
    for target in ("nothing", "nowhere", str(tmp_path)):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        digests.add(scripts.content_digest(str(link)))
    assert len(digests) == 3 and hashlib.sha256(b"a link to nothing").hexdigest() in digests


def test_a_script_of_riggers_own_counts_with_riggers_version(tmp_path, monkeypatch):
    own = os.path.join(kinds.STEPS[kinds.TERRAFORM], "create")
    (tmp_path / "create").write_text("#!/bin/sh\n")
    before = scripts.step_digest(own), scripts.step_digest(str(tmp_path / "create"))
    assert before[0] != digest_of_file(own) and before[1] == digest_of_file(str(tmp_path / "create"))
    monkeypatch.setattr(scripts, "__version__", "99.0.0")
    assert scripts.step_digest(own) != before[0]
    assert scripts.step_digest(str(tmp_path / "create")) == before[1]
