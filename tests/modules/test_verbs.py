"""The verbs of each role."""

import pytest

from rigger.modules import verbs


@pytest.mark.parametrize(
    "name", ["create", "deploy", "prepare", "upgrade-graceful", "resume", "setup-clients"]
)
def test_a_verb(name):
    assert verbs.is_verb(name, "platform")


@pytest.mark.parametrize("name", ["init", "apply", "upgrade", "test"])
def test_a_verb_of_an_addon_alone(name):
    assert verbs.is_verb(name, "addon") and not verbs.is_verb(name, "platform")


@pytest.mark.parametrize("name", ["", "Create", "create.sh", "upgrade", "README", "tests", "config"])
def test_no_verb(name):
    assert not any(verbs.is_verb(name, role) for role in ("provider", "platform"))


@pytest.mark.parametrize("role", verbs.REQUIRED)
def test_what_a_module_must_have_is_a_verb_of_a_role(role):
    assert role in verbs.ROLES and verbs.MAKES[role] in verbs.REQUIRED[role]
    assert all(verbs.is_verb(verb, role) for verb in verbs.REQUIRED[role])
