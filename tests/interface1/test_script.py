"""What stands in a provider's config.sh, read without running it."""

import os

import pytest

from rigger.interface1 import script


@pytest.fixture
def folder(tmp_path):
    """Write a config.sh and return its folder."""

    def write(content):
        (tmp_path / "config.sh").write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path)

    return write


def test_a_provider_that_asks_nothing(tmp_path):
    assert script.script(str(tmp_path)) is None
    assert script.words(str(tmp_path)) == script.exported(str(tmp_path)) == set()
    (tmp_path / "config.sh").mkdir()
    assert script.script(str(tmp_path)) is None


def test_every_word_may_be_a_variable(folder):
    found = script.words(folder('prompt "Who?" OWNER  # nobody\nexport A1="${B_2:-x}"\n'))
    assert found == {"prompt", "Who", "OWNER", "nobody", "export", "A1", "B_2", "x"}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("export A", {"A"}),
        ("export A=1 B=$C", {"A", "B"}),
        ('export A="$B" C', {"A", "C"}),
        ("A=1; export A; B=2", {"A"}),
        ("if true; then export A B\nfi", {"A", "B"}),
        ("exported A", set()),
        ("unexport A", set()),
    ],
)
def test_what_is_exported(folder, line, names):
    assert script.exported(folder(line)) == names


def test_it_is_read_and_never_run(folder, tmp_path):
    path = folder("touch ran\nexport A\n")
    assert script.script(path) == os.path.join(path, "config.sh")
    assert script.exported(path) == {"A"} and os.listdir(tmp_path) == ["config.sh"]


def test_bytes_that_are_no_text_hide_no_name(folder):
    assert {"A", "B"} <= script.words(folder(b"A=\xff\nB=\0\n"))
