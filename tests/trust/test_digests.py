"""One digest for all that can run in a folder: whatever can change what runs changes it."""

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.sha256 import digest_of_file
from rigger.trust.digests import digest, lies_in


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "soil"
    (folder / "lib").mkdir(parents=True)
    (folder / "create").write_text("#!/bin/sh\n. lib/common.sh\n")
    (folder / "create").chmod(0o755)
    (folder / "lib" / "common.sh").write_text("true\n")
    (folder / "again").symlink_to("create")
    return folder


def other_content(folder):
    (folder / "lib" / "common.sh").write_text("false\n")


def other_name(folder):
    (folder / "lib" / "common.sh").rename(folder / "lib" / "other.sh")


def other_place(folder):
    (folder / "lib").rename(folder / "more")


def no_run_bit(folder):
    (folder / "create").chmod(0o644)


def one_file_more(folder):
    (folder / "lib" / "empty").write_text("")


def a_file_less(folder):
    (folder / "again").unlink()


def a_link_that_leads_elsewhere(folder):
    (folder / "again").unlink()
    (folder / "again").symlink_to("lib/common.sh")


def a_link_to_a_folder(folder):
    (folder / "more").symlink_to("lib")


def a_link_to_nothing(folder):
    (folder / "more").symlink_to("nowhere")


def a_link_for_a_folder(folder):
    (folder / "lib").rename(folder.parent / "lib")
    (folder / "lib").symlink_to(folder.parent / "lib")


def a_link_with_the_name_of_what_does_not_count(folder):
    (folder / "lib" / "__pycache__").symlink_to("/usr/lib")


CHANGES = [
    other_content, other_name, other_place, no_run_bit, one_file_more, a_file_less, a_link_that_leads_elsewhere,
    a_link_to_a_folder, a_link_to_nothing, a_link_for_a_folder, a_link_with_the_name_of_what_does_not_count,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(module, change):
    before = digest(str(module))
    change(module)
    assert digest(str(module)) != before


def test_a_link_to_nothing_counts_by_where_it_leads(module):
    (module / "more").symlink_to("nowhere")
    before = digest(str(module))
    (module / "more").unlink()
    (module / "more").symlink_to("elsewhere")
    assert digest(str(module)) != before


def test_what_does_not_run_does_not_count(module):
    before = digest(str(module))
    for name in (".git", "lib/__pycache__"):
        (module / name).mkdir()
        (module / name / "file").write_text("x")
    (module / "empty").mkdir()
    os.utime(module / "create", (1, 1))
    (module / "lib" / "common.sh").chmod(0o600)
    assert digest(str(module)) == before


def test_a_copy_elsewhere_is_the_same(module, tmp_path):
    shutil.copytree(module, tmp_path / "copy", symlinks=True)
    assert digest(str(tmp_path / "copy")) == digest(str(module))
    shutil.copytree(module, tmp_path / "plain")  # as a bundle carries it: a link as the file that it leads to
    assert digest(str(tmp_path / "plain")) == digest(str(module))


def test_a_name_may_hold_any_byte(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff", os.O_CREAT | os.O_WRONLY))
    assert len(digest(str(tmp_path))) == 64


def test_a_name_with_a_line_break_cannot_pass_for_another_file(tmp_path):
    """Else who agreed to one file of a strange name would have agreed to the script that the name describes."""
    two, one = tmp_path / "two", tmp_path / "one"
    two.mkdir()
    one.mkdir()
    (two / "a").write_text("")
    (two / "create").write_text("#!/bin/sh\n")
    (two / "create").chmod(0o755)
    (one / f"a\n{digest_of_file(str(two / 'create'))} x create").write_text("")
    assert digest(str(one)) != digest(str(two))
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "a\nb").write_text("")
    (tmp_path / "backslashes").mkdir()
    (tmp_path / "backslashes" / "a\\nb").write_text("")
    assert digest(str(tmp_path / "lines")) != digest(str(tmp_path / "backslashes"))


NAMES = st.lists(st.sampled_from(["a", "b", "ab", "..", "."]), min_size=1, max_size=5)


@given(NAMES, NAMES)
def test_a_path_that_is_written_into_a_folder_lies_in_it(path, folder):
    at, top = os.path.abspath("/x/" + "/".join(path)), os.path.abspath("/x/" + "/".join(folder))
    inside = os.path.commonpath([at, top]) == top != at
    assert lies_in("/x/" + "/".join(path), "/x/" + "/".join(folder)) == inside or top == "/"


def test_links_are_followed_too(tmp_path):
    (tmp_path / "real" / "scripts").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "way-out").symlink_to("/")
    real, link = str(tmp_path / "real"), str(tmp_path / "link")
    assert lies_in(f"{link}/scripts", real) and lies_in(f"{real}/scripts", link)
    assert lies_in(f"{real}/scripts/../scripts", real) and not lies_in(f"{real}/..", real)
    assert not lies_in(real, real) and not lies_in(f"{real}-2/x", real)
    assert lies_in(f"{tmp_path}/way-out/etc", str(tmp_path)), "as it is written, it does"
