"""The clone of a platform's repository that belongs to an environment."""

import os

import pytest

from rigger.environments.checkout import is_cloned, is_used, place
from rigger.environments.home import Home

URL = "https://git.example.com/oak"


@pytest.fixture
def wood(tmp_path):
    return Home(str(tmp_path / "home")).create("wood", {}, {})


@pytest.mark.parametrize(
    ("values", "used"),
    [
        ({}, False),
        ({"REPOSITORY": "", "CHECKOUT": ""}, False),
        ({"VERSION": "1.9.0", "REF": "main"}, False),
        ({"REPOSITORY": URL}, True),
        ({"CHECKOUT": "/srv/oak"}, True),
    ],
)
def test_a_repository_or_a_folder_is_used(values, used):
    assert is_used(values) == used


def test_a_folder_of_the_users_own_goes_before_the_clone(wood):
    assert place(wood, {"REPOSITORY": URL}) == place(wood, {"CHECKOUT": ""}) == wood.file("checkout")
    assert place(wood, {"REPOSITORY": URL, "CHECKOUT": "/srv/oak"}) == "/srv/oak"


def test_it_is_cloned_once_the_clone_is_there(wood):
    assert not is_cloned(wood, {"REPOSITORY": URL})
    os.mkdir(wood.file("checkout"))
    assert is_cloned(wood, {"REPOSITORY": URL})
    assert not is_cloned(wood, {"REPOSITORY": URL, "CHECKOUT": "/srv/oak"}) and not is_cloned(wood, {})
