"""A bundle that becomes an environment, from Python."""

import os
import shutil

import pytest
from helpers.clusters import PROVIDER, Cluster
from helpers.second_machine import forge
from helpers.without_terminal import Listener, Person, configured

from rigger.environments.home import Home
from rigger.errors import BadUsage, Declined, Interrupted, Refused
from rigger.operations.answers import Given
from rigger.operations.consent import Consent
from rigger.operations.load import Opening, load
from rigger.operations.save import SaveOptions, save
from rigger.operations.values import set_values

TOKEN = "a-secret-token"
AS_IT_IS = Opening()


@pytest.fixture
def bundle(wood, tmp_path):
    """A bundle of an environment without secrets."""
    return bundle_of(wood, tmp_path)


@pytest.fixture
def there(tmp_path):
    """The home of somebody else, who has the same modules."""
    return Home(str(tmp_path / "there"))


def bundle_of(environment, folder, options=None, name="wood.rigger") -> str:
    return save(environment, str(folder / name), options or SaveOptions()).contents.path


def test_a_bundle_becomes_the_current_environment(wood, bundle, there):
    heard = Listener()
    loaded = load(there, Given(path=bundle), AS_IT_IS, heard)
    assert loaded.as_dict() == {
        "name": "wood",
        "bundle": bundle,
        "update": False,
        "backup": "",
        "current_before": "",
    }
    assert there.current_name() == "wood" and loaded.environment.home == there.path
    mine, theirs = wood.vars(), there.get().vars()
    assert {name for name in mine if mine[name] != theirs.get(name)} <= {"PATH", "ORIGINAL_PATH"}
    said, *given = heard.lines
    assert said.startswith(f"{bundle}: wood of 20") and said.endswith(", verified.")
    assert f"PROVIDER is soil (from {bundle})" in given and heard.warnings == []


def test_it_may_have_a_name_of_its_own(bundle, there, monkeypatch):
    assert load(there, Given(path=bundle, name="grove"), AS_IT_IS).environment.name == "grove"
    with pytest.raises(BadUsage, match="is the environment grove, which is here already"):
        load(there, Given(path=bundle, name="glade"), AS_IT_IS)
    assert there.names() == ["grove"]
    other = Home(os.path.join(there.path, "other"))
    monkeypatch.setenv("RIGGER_NAME", "copse")
    assert load(other, Given(path=bundle), AS_IT_IS).environment.name == "copse"


def test_values_that_are_given_count_more_than_those_inside(bundle, there):
    given = Given(path=bundle, flags={"COLOUR": "red"}, answers={"NODES": "5"}, answers_name="a.env")
    loaded = load(there, given, AS_IT_IS).environment
    assert (loaded.vars()["COLOUR"], loaded.vars()["NODES"]) == ("red", "5")


@pytest.mark.parametrize(
    "flags, said", [({"COLUOR": "red"}, "COLUOR"), ({"PROVIDER": "noop"}, "PROVIDER=soil")]
)
def test_what_cannot_be_said_about_a_bundle_leaves_nothing(bundle, there, flags, said):
    with pytest.raises(BadUsage, match=said):
        load(there, Given(path=bundle, flags=flags), AS_IT_IS)
    assert there.names() == [] and there.current_name() is None


def test_an_update_says_what_is_different(wood, bundle, there, tmp_path):
    load(there, Given(path=bundle), AS_IT_IS)
    set_values(wood, {"COLOUR": "red"})
    newer, heard = bundle_of(wood, tmp_path, name="newer.rigger"), Listener()
    loaded = load(there, Given(path=newer), AS_IT_IS, heard)
    assert loaded.update and loaded.environment.vars()["COLOUR"] == "red"
    assert "  COLOUR: (unset) -> red" in heard.lines
    with pytest.raises(Refused, match="is older"):
        load(there, Given(path=bundle), AS_IT_IS)
    assert load(there, Given(path=bundle), Opening(allow_older=True)).update
    assert "COLOUR" not in there.get().vars()


# Secrets


@pytest.fixture
def secretive(rigger, modules, in_process, tmp_path):
    """An environment with a secret that is needed, and a bundle of it without that."""
    needed = PROVIDER.replace(", optional: true", ", ask: Which token?")
    cluster = in_process(Cluster(rigger, modules, provider=needed))
    wood = configured(cluster, TOKEN=TOKEN)
    return wood, bundle_of(wood, tmp_path)


def test_a_secret_that_was_left_out_is_missing_until_it_is_given(secretive, there, monkeypatch):
    _, bundle = secretive
    with pytest.raises(BadUsage, match="1 value is missing") as caught:
        load(there, Given(path=bundle), AS_IT_IS)
    assert "Which token?" in str(caught.value) and there.names() == []
    monkeypatch.setenv("RIGGER_TOKEN", TOKEN)
    loaded = load(there, Given(path=bundle), AS_IT_IS).environment
    assert loaded.secrets() == {"TOKEN": TOKEN} and "TOKEN" not in loaded.vars()
    monkeypatch.delenv("RIGGER_TOKEN")
    again = load(there, Given(path=bundle), AS_IT_IS)
    assert again.update and again.environment.secrets() == {"TOKEN": TOKEN}


def test_somebody_who_stops_is_told_how_to_go_on(secretive, there):
    _, bundle = secretive

    class Tired:
        def fill(self, interview, on_answer):
            assert interview.advance().name == "TOKEN"
            raise Interrupted("Stopped.")

    with pytest.raises(Interrupted) as caught:
        load(there, Given(path=bundle), AS_IT_IS, ask=lambda describe, told: Tired())
    wanted = f'Nothing was changed. "rigger configure --file {bundle}" resumes with the answers given so far.'
    assert caught.value.next_step == wanted and there.names() == []


@pytest.mark.slow
def test_secrets_inside_are_opened_with_a_passphrase(secretive, there, tmp_path):
    wood, _ = secretive
    (tmp_path / "pass").write_text("open sesame\n")
    options = SaveOptions(with_secrets=True, passphrase_file=str(tmp_path / "pass"))
    sealed = bundle_of(wood, tmp_path, options, "sealed.rigger")
    with pytest.raises(BadUsage, match="There is no terminal to ask on: The passphrase of its secrets"):
        load(there, Given(path=sealed), AS_IT_IS)
    person = Person("open sesame")
    assert load(there, Given(path=sealed), AS_IT_IS, consent=person.consent()).environment.secrets() == {
        "TOKEN": TOKEN
    }
    assert person.asked == ["The passphrase of its secrets?"]


def test_secrets_for_a_key_need_that_key(secretive, there, tmp_path):
    wood, _ = secretive
    key = str(tmp_path / "key")
    assert shutil.which("ssh-keygen") and not os.system(f"ssh-keygen -q -t ed25519 -N '' -f {key}")
    with open(f"{key}.pub") as file:
        options = SaveOptions(with_secrets=True, recipients=(file.read().strip(),))
    sealed = bundle_of(wood, tmp_path, options, "sealed.rigger")
    with pytest.raises(BadUsage, match="encrypted for a key") as caught:
        load(there, Given(path=sealed), AS_IT_IS)
    assert caught.value.next_step == "Name its file with --identity FILE."
    loaded = load(there, Given(path=sealed), Opening(identities=[key]))
    assert loaded.environment.secrets() == {"TOKEN": TOKEN}


# Scripts


def test_scripts_that_only_the_bundle_has_run_once_somebody_agreed(wood, bundle, there, cluster):
    shutil.rmtree(cluster.folders["platform"])
    heard = Listener()
    with pytest.raises(BadUsage, match="rigger has to ask if they may run"):
        load(there, Given(path=bundle), AS_IT_IS, heard)
    assert heard.warnings == ["This machine does not know tree; these scripts came in the bundle:"]
    person = Person(False)
    with pytest.raises(Declined):
        load(there, Given(path=bundle), AS_IT_IS, consent=person.consent())
    assert person.asked == ["May they run on this machine, as you?"] and there.names() == []
    heard = Listener()
    loaded = load(there, Given(path=bundle), AS_IT_IS, heard, Consent(trust=True)).environment
    folder = loaded.vars()["PLATFORM"]
    assert folder == loaded.file("scripts", "platform", "tree")
    assert os.path.isfile(os.path.join(folder, "deploy"))
    assert f"PLATFORM is {folder}: its scripts come in the bundle." in heard.lines


def test_scripts_that_differ_are_named_and_those_of_this_machine_run(wood, bundle, there, cluster):
    cluster.script("provider", "create", "echo another")
    heard = Listener()
    loaded = load(there, Given(path=bundle), AS_IT_IS, heard).environment
    assert heard.warnings == [
        "soil has other scripts here than in the bundle; those of this machine will run."
    ]
    assert loaded.vars()["PROVIDER"] == "soil"


def test_what_is_no_bundle_or_was_not_signed_is_refused(bundle, there, tmp_path):
    (tmp_path / "none.rigger").write_bytes(b"not a bundle")
    with pytest.raises(Refused, match=r"none\.rigger"):
        load(there, Given(path=str(tmp_path / "none.rigger")), AS_IT_IS)
    key = str(tmp_path / "key")
    assert not os.system(f"ssh-keygen -q -t ed25519 -N '' -f {key}")
    with pytest.raises(Refused, match="sign"):
        load(there, Given(path=bundle), Opening(verify_key=f"{key}.pub"))
    lying = forge(bundle, str(tmp_path / "forged.rigger"), change_fields={"platform": "oak"})
    with pytest.raises(Refused):
        load(there, Given(path=lying), AS_IT_IS, consent=Consent(trust=True))
    assert there.names() == []
