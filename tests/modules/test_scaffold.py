"""A new module: it appears in one piece, or not at all."""

import os

import pytest

from rigger.errors import BadUsage, NotReady
from rigger.modules import scaffold

KINDS = [
    ("provider", ""),
    ("provider", "terraform"),
    ("provider", "ansible"),
    ("platform", ""),
    ("platform", "ansible"),
    ("addon", ""),
    ("addon", "terraform"),
    ("addon", "ansible"),
    ("addon", "container"),
]


@pytest.mark.parametrize(("role", "tool"), KINDS)
def test_it_is_whole_and_its_name_is_everywhere(tmp_path, role, tool):
    module = scaffold.write(role, "9-lives", str(tmp_path / "new" / "9-lives"), tool)
    assert (module.name, module.role) == ("9-lives", role)
    for folder, _, names in os.walk(module.folder):
        for name in names:
            with open(os.path.join(folder, name)) as file:
                assert "SCAFFOLD_" not in file.read()
    for verb in ("check", "exec", "deploy", "upgrade-graceful"):
        assert module.script(verb) is None or os.access(module.script(verb), os.X_OK)
    assert os.listdir(tmp_path / "new") == ["9-lives"]


@pytest.mark.parametrize("name", ["", "Upper", "-x", "a/b", "x" * 64, "é"])
def test_a_bad_name_leaves_nothing(tmp_path, name):
    with pytest.raises(BadUsage, match="is not a name"):
        scaffold.write("provider", name, str(tmp_path / "new"))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(BadUsage, match="not an empty folder"):
        scaffold.write("provider", "soil", str(tmp_path))
    assert os.listdir(tmp_path) == ["mine"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotReady, match="cannot be written"):
        scaffold.write("provider", "soil", str(tmp_path / "file" / "soil"))


def test_the_repository_around_a_folder(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert scaffold.in_repository(str(tmp_path / "a" / "b")) == str(tmp_path)
