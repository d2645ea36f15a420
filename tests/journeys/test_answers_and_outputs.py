"""What scripts save under the names of answers: it hides them for later steps, and never replaces them."""

import json
import os

import pytest
from helpers.clusters import MAKE_NODES, PLATFORM, PROVIDER, Cluster
from helpers.second_machine import contents, elsewhere, save

COMPOSES = f'{MAKE_NODES}\nrigger-save-vars DOMAIN="test.$DOMAIN" BALANCER=lb-1'
SAYS = 'echo "domain=$DOMAIN balancer=$BALANCER"'


@pytest.fixture
def cluster(rigger, modules):
    provider = PROVIDER + "      - {name: DOMAIN, default: example.org}\n"
    platform = PLATFORM.replace("questions:", "questions:\n      - {name: DOMAIN_OF_APPS, optional: true}")
    made = Cluster(rigger, modules, provider, platform)
    made.script("provider", "create", 'echo "domain=$DOMAIN"\n' + COMPOSES)
    for role, verb in (
        ("provider", "install"),
        ("platform", "deploy"),
        ("platform", "check"),
        ("provider", "destroy"),
    ):
        made.script(role, verb, SAYS)
    made.configure("--set", "DOMAIN=deis.test")
    return made


@pytest.mark.slow
def test_later_steps_get_what_was_saved_and_the_one_that_saved_it_the_answer(cluster):
    cluster.rigger("provision")
    assert cluster.log("02-create") == "domain=deis.test\n"
    assert cluster.log("04-deploy") == "domain=test.deis.test balancer=lb-1\n"
    assert not cluster.plan()["changes"]
    for _ in range(2):
        cluster.rigger("provision", "--again")
        assert cluster.log("01-install") == "domain=deis.test balancer=lb-1\n"
        assert cluster.log("02-create") == "domain=deis.test\n"
        assert cluster.log("04-deploy") == "domain=test.deis.test balancer=lb-1\n"
        assert not cluster.plan()["changes"]
    cluster.rigger("test", "smoke")
    assert 'export DOMAIN="test.deis.test"' in cluster.content("vars")


def test_config_names_the_answer_and_what_was_given(cluster):
    cluster.rigger("provision")
    got = cluster.rigger("config", "get", "DOMAIN")
    assert got.out == "test.deis.test\n"
    assert got.err == "DOMAIN: soil create gave this; answered: deis.test.\n"
    [report] = json.loads(cluster.rigger("config", "get", "DOMAIN", "-o", "json").out)["values"]
    both = {"given_by": "provider/soil/create", "answered": "deis.test"}
    assert report == {"name": "DOMAIN", "value": "test.deis.test", "source": "from scripts", **both}
    listed = json.loads(cluster.rigger("config", "get", "-o", "json").out)["values"]
    assert {"name": "DOMAIN", "value": "test.deis.test", "source": "from scripts", **both} in listed
    assert {"name": "BALANCER", "value": "lb-1", "source": "from scripts"} in listed
    assert "soil create (answered: deis.test)  test.deis.test" in cluster.rigger("config", "get").out


@pytest.mark.slow
def test_destroy_drops_what_was_given_and_keeps_what_was_answered(cluster):
    cluster.rigger("provision")
    cluster.rigger("destroy", "--yes")
    assert cluster.log("02-destroy") == "domain=test.deis.test balancer=lb-1\n"
    assert cluster.rigger("config", "get", "DOMAIN").out == "deis.test\n"
    assert "BALANCER" not in cluster.content("vars")
    cluster.rigger("provision")
    assert cluster.log("02-create") == "domain=deis.test\n"
    assert not cluster.plan()["changes"]


@pytest.mark.slow
def test_another_answer_brings_the_step_again_and_what_is_there_is_removed_as_it_was_made(cluster):
    cluster.rigger("provision")
    said = cluster.rigger("config", "set", "DOMAIN=other.test").out
    assert "DOMAIN is test.deis.test, which soil create gave, until the next provision." in said
    assert cluster.plan()["changes"]
    cluster.rigger("destroy", "--yes")
    assert cluster.log("02-destroy") == "domain=test.deis.test balancer=lb-1\n"
    cluster.rigger("provision")
    assert cluster.log("02-create") == "domain=other.test\n"
    assert cluster.log("04-deploy") == "domain=test.other.test balancer=lb-1\n"
    cluster.rigger("config", "set", "DOMAIN=third.test")
    cluster.rigger("provision")
    assert cluster.log("01-create") == "domain=third.test\n"
    assert cluster.rigger("config", "get", "DOMAIN").out == "test.third.test\n"
    assert not cluster.plan()["changes"]


def test_the_answer_given_once_more_changes_nothing(cluster):
    cluster.rigger("provision")
    assert cluster.rigger("config", "set", "DOMAIN=deis.test").out == "Nothing was changed.\n"
    cluster.configure("--set", "DOMAIN=deis.test")
    cluster.rigger("configure", "--no-input", "--name", "wood")
    assert 'export DOMAIN="test.deis.test"' in cluster.content("vars")
    assert not cluster.plan()["changes"]


def test_a_default_stays_one(cluster):
    cluster.rigger("config", "unset", "DOMAIN")
    cluster.rigger("provision")
    assert cluster.log("04-deploy") == "domain=test.example.org balancer=lb-1\n"
    refused = cluster.rigger("config", "unset", "DOMAIN", code=2).err
    assert "DOMAIN is not set in wood: soil create gave it." in refused
    cluster.rigger("provision", "--again")
    assert cluster.log("02-create") == "domain=example.org\n"
    cluster.rigger("destroy", "--yes")
    assert "DOMAIN" not in cluster.content("vars")


@pytest.mark.slow
@pytest.mark.parametrize(
    "role, verb", [("platform", "deploy"), ("platform", "check"), ("platform", "install")]
)
def test_a_plan_after_a_good_run_is_empty_whichever_step_saves_what_it_reads(cluster, role, verb):
    cluster.script(role, verb, 'rigger-save-vars COLOUR="dark $COLOUR" DOMAIN_OF_APPS="apps.$DOMAIN"')
    cluster.rigger("provision")
    assert not cluster.plan()["changes"]
    cluster.rigger("provision", "--again")
    assert not cluster.plan()["changes"]
    assert cluster.rigger("config", "get", "COLOUR").out == "dark green\n"
    assert cluster.rigger("config", "get", "DOMAIN_OF_APPS").out == "apps.test.deis.test\n"
    assert "No difference" in cluster.rigger("config", "diff").out


@pytest.mark.slow
def test_a_failed_create_that_saved_is_not_composed_upon(cluster):
    cluster.script("provider", "create", 'rigger-save-vars DOMAIN="test.$DOMAIN"\nexit 3')
    for _ in range(2):
        cluster.rigger("provision", code=5)
        assert cluster.rigger("config", "get", "DOMAIN").out == "test.deis.test\n"
    cluster.rigger("destroy", "--yes")
    assert cluster.rigger("config", "get", "DOMAIN").out == "deis.test\n"


def test_what_a_person_writes_into_the_vars_file_is_an_answer(cluster):
    cluster.rigger("provision")
    text = cluster.content("vars").replace("test.deis.test", "mine.test")
    with open(cluster.file("vars"), "w") as file:
        file.write(text)
    assert cluster.rigger("config", "get", "DOMAIN").out == "mine.test\n"
    cluster.rigger("provision")
    assert cluster.log("01-create") == "domain=mine.test\n"


def loaded(rigger, folder, *options, saving=(), bundle=None):
    """Return the rigger of another machine that has loaded what was saved here."""
    other = elsewhere(rigger, folder)
    options = ("--no-input", "--trust", *options)
    other("configure", "--file", bundle or save(rigger, folder, *saving), *options)
    return other


@pytest.mark.slow
def test_a_bundle_carries_both(cluster, rigger, tmp_path):
    cluster.rigger("provision")
    other = loaded(rigger, tmp_path)
    [got] = json.loads(other("config", "get", "DOMAIN", "-o", "json").out)["values"]
    assert (got["value"], got["given_by"]) == ("test.deis.test", "provider/soil/create")
    assert got["answered"] == "deis.test"
    assert not json.loads(other("provision", "--plan", "-o", "json").out)["changes"]
    other("destroy", "--yes")
    assert other("config", "get", "DOMAIN").out == "deis.test\n"


@pytest.mark.slow
def test_bundles_and_environments_from_before_are_as_they_were(cluster, rigger, tmp_path):
    cluster.rigger("provision")
    os.unlink(cluster.file("outputs.json"))
    bundle = save(rigger, tmp_path)
    assert "outputs.json" not in contents(bundle)
    other = loaded(rigger, tmp_path, bundle=bundle)
    for each in (rigger, other):
        [got] = json.loads(each("config", "get", "DOMAIN", "-o", "json").out)["values"]
        assert got["value"] == "test.deis.test" and "given_by" not in got
        each("destroy", "--yes")


@pytest.mark.slow
def test_secrets_stay_apart_from_what_anybody_may_read(cluster, rigger, tmp_path):
    answer, given = "the-answer-as-typed", "what-create-made-of-it"
    cluster.configure(env={"RIGGER_TOKEN": answer})
    cluster.script(
        "provider",
        "create",
        f'{MAKE_NODES}\n[ "$TOKEN" = {answer} ] || exit 4\nrigger-save-secrets TOKEN={given}\necho $TOKEN',
    )
    cluster.script("platform", "deploy", f'[ "$TOKEN" = {given} ]')
    for _ in range(2):
        cluster.rigger("provision", "--again")
        assert cluster.log("02-create") == "***\n"
    shown = cluster.rigger("config", "get", "-o", "json").out
    assert answer not in shown and given not in shown
    open_files = {
        name for name in os.listdir(cluster.path) if name not in ("secrets", "outputs.secrets.json")
    }
    for name in open_files & {"vars", "outputs.json", "audit.jsonl"}:
        assert answer not in cluster.content(name) and given not in cluster.content(name), name
    for options in ((), ("--with-secrets", "--passphrase-file", phrase(tmp_path))):
        path = save(rigger, tmp_path, *options, name=f"wood-{len(options)}.rigger")
        for name, data in contents(path).items():
            assert answer.encode() not in data and given.encode() not in data, name
    other = loaded(rigger, tmp_path, "--passphrase-file", phrase(tmp_path), bundle=path)
    assert not json.loads(other("provision", "--plan", "-o", "json").out)["changes"]
    other("provision", "--again")
    own = save(rigger, tmp_path, name="own.rigger")
    rigger("configure", "--file", own, "--no-input", "--trust", "--allow-older")
    assert not cluster.plan()["changes"]
    rigger("provision", "--again")


def phrase(folder) -> str:
    path = os.path.join(str(folder), "phrase")
    with open(path, "w") as file:
        file.write("a phrase of some length\n")
    os.chmod(path, 0o600)
    return path
