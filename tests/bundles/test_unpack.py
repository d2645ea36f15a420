"""A bundle unpacked aside, held by a lock and gone afterwards."""

import os

import pytest

from rigger.bundles import seal
from rigger.bundles.unpack import is_bundle, unpacked
from rigger.environments.home import Home
from rigger.errors import Refused


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "elsewhere"))


@pytest.fixture
def saved(wood, tmp_path):
    return wood.save(tmp_path / "wood.rigger").path


def test_it_lies_where_no_environment_is_looked_for_and_is_gone_afterwards(saved, home):
    with unpacked(saved, home) as bundle:
        assert os.path.dirname(os.path.dirname(bundle.folder)) == home.environments_dir
        assert (bundle.name, bundle.id, bundle.serial, home.names()) == ("wood", "0123456789", 1, [])
        assert os.stat(bundle.folder).st_mode & 0o077 == 0
        with open(bundle.file("modules", "soil", "key")) as file:
            assert file.read() == "no secret of rigger's\n"
    assert os.listdir(home.environments_dir) == []


def test_an_error_leaves_nothing_either(saved, home):
    with pytest.raises(ZeroDivisionError), unpacked(saved, home):
        1 / 0  # noqa: B018
    assert os.listdir(home.environments_dir) == []


def test_what_was_refused_leaves_nothing(saved, home):
    with open(saved, "r+b") as file:
        file.truncate(os.path.getsize(saved) - 9)
    with pytest.raises(Refused), unpacked(saved, home):
        pass
    assert os.listdir(home.environments_dir) == []


def test_a_signature_that_is_asked_for_has_to_be_there(saved, home, tmp_path):
    check = seal.checker(str(tmp_path / "team.pub"))
    with pytest.raises(Refused, match="is not signed"), unpacked(saved, home, check_signature=check):
        pass


def test_what_a_killed_load_left_is_swept_and_one_under_way_is_not(saved, home):
    home.make()
    dead = os.path.join(home.environments_dir, ".load-0123456789abcdef")
    os.makedirs(os.path.join(dead, "bundle"))
    os.mkdir(os.path.join(home.environments_dir, ".load-mine"))
    os.utime(dead, (1, 1))
    with unpacked(saved, home) as first:
        assert not os.path.exists(dead)
        os.utime(os.path.dirname(first.folder), (1, 1))
        with unpacked(saved, home) as second:
            assert os.path.isfile(first.file("vars")) and os.path.isfile(second.file("vars"))
    assert os.listdir(home.environments_dir) == [".load-mine"]


@pytest.mark.parametrize(
    ("name", "content", "answer"),
    [
        ("b", b"\x28\xb5\x2f\xfd more", True),
        ("vars", b"A=1\n", False),
        ("empty", b"", False),
        ("damaged.rigger", b"A=1\n", True),
        ("empty.rigger", b"", True),
    ],
)
def test_a_bundle_is_told_from_a_vars_file(tmp_path, name, content, answer):
    (tmp_path / name).write_bytes(content)
    assert is_bundle(str(tmp_path / name)) is answer
    assert is_bundle(str(tmp_path / "none.rigger")) is is_bundle(str(tmp_path)) is False
