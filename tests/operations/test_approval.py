"""An approved plan is carried out as it was shown, or not at all."""

import json
import os
import random

import pytest
from helpers.repositories import git

from rigger.cli.main import every_verb

TIMES = 20  # that each part of what a plan is made of is changed


@pytest.fixture
def cluster(cluster):
    """A cluster whose platform lies in a repository of the user's own."""
    folder = cluster.folders["platform"]
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    cluster.configure()
    return cluster


def digest(cluster, *words):
    return json.loads(cluster.rigger(*(words or ("provision",)), "--plan", "-o", "json").out)["digest"]


def refused(cluster, shown, *words):
    """Hold it to the refusal: nothing ran, and nothing was recorded."""
    before = cluster.records()
    said = cluster.rigger(*(words or ("provision",)), "-y", "--approved", shown, "-o", "json", code=8)
    report = json.loads(said.out)
    assert (report["outcome"], report["exit_code"]) == ("differs", 8)
    assert "was made of something else than what there is now" in report["error"]["message"]
    assert cluster.ran() == [] and cluster.records() == before
    return True


def test_the_plan_that_was_shown_is_carried_out(cluster):
    shown = digest(cluster)
    assert digest(cluster) == shown  # to look changes nothing
    assert f"rigger provision --approved {shown}" in cluster.rigger("provision", "--plan").out
    cluster.rigger("provision", "--approved", shown)
    assert "platform/deploy" in cluster.ran()
    assert refused(cluster, shown)  # it was made of what there is no more


def test_other_options_are_another_plan(cluster):
    assert refused(cluster, digest(cluster), "provision", "--again")


def test_a_destroy_is_planned_and_approved_too(cluster):
    cluster.rigger("provision")
    cluster.ran()
    report = json.loads(cluster.rigger("destroy", "--plan", "-o", "json").out)
    assert [step["step"] for step in report["steps"]] == ["undeploy", "destroy"] and report["removals"]
    assert cluster.ran() == []
    assert "undeploy" in cluster.rigger("destroy", "--plan").out
    cluster.rigger("config", "set", "COLOUR=blue")
    assert refused(cluster, report["digest"], "destroy")
    cluster.rigger("destroy", "-y", "--approved", digest(cluster, "destroy"))
    assert cluster.ran() == ["platform/undeploy", "provider/destroy"]


KEEPS = {
    "backup": 'echo data >"$RIGGER_BACKUP_FILE"\n',
    "restore": 'cat "$RIGGER_BACKUP_FILE"\n',
    "scale": "",
    "upgrade": "",
    "destroy": "",
}


def addon(cluster, name="cats", version="1.0", **scripts):
    """Write an add-on whose scripts note that they ran."""
    manifest = f"version: {version}\nquestions: [{{name: SIZE, type: integer, default: 1}}]\n"
    noting = {
        verb: f'echo {name}/{verb} >>"$NOTED"\n{body}'
        for verb, body in {"apply": "", **KEEPS, **scripts}.items()
    }
    return cluster.modules.write("addon", name, manifest, **noting)


def approved_alone(cluster, words, change, ran):
    """Plan a command, which changes nothing; hold it to the refusal after a change; then have what is approved."""
    before, values = cluster.records(), cluster.content("vars")
    shown = digest(cluster, *words)
    assert cluster.ran() == [] and cluster.records() == before and cluster.content("vars") == values
    change()
    assert refused(cluster, shown, *words)
    cluster.rigger(*words, "-y", "--approved", digest(cluster, *words))
    assert {*ran} <= {*cluster.ran()}
    return True


@pytest.mark.slow
def test_every_command_that_changes_something_is_planned_and_approved(cluster, tmp_path):
    for verb in ("backup", "restore"):
        cluster.script("platform", verb, KEEPS[verb])
    cluster.script("platform", "setup-clients")
    for verb in ("suspend", "resume"):
        cluster.script("provider", verb)
    folder, count = addon(cluster), iter(range(100))
    cluster.rigger("provision")
    kept = tmp_path / "kept"
    kept.write_text("one")

    def value():
        cluster.rigger("config", "set", f"COMMENT=c{next(count)}")

    def byte():
        with open(os.path.join(folder, "apply"), "a") as file:
            file.write("# another\n")

    def version():
        addon(cluster, version=f"1.{next(count) + 1}")

    def file():
        kept.write_text(f"{next(count)}")

    cluster.ran()
    assert approved_alone(cluster, ("module", "add", "cats"), byte, [])
    cluster.rigger("provision", "cats")
    version()
    cluster.ran()
    for words, change, ran in (
        (("upgrade", "cats"), version, ["cats/backup", "cats/upgrade"]),
        (("scale", "cats"), value, ["cats/scale"]),
        (("scale", "cats", "--set", "SIZE=3"), byte, ["cats/scale"]),
        (("backup", "cats"), value, ["cats/backup"]),
        (("restore", "cats", str(kept)), file, ["cats/restore"]),
        (("run", "platform/tree/deploy"), value, ["platform/deploy"]),
        (("setup-clients",), value, ["platform/setup-clients"]),
        (("backup",), byte, ["platform/backup"]),
        (("restore", str(kept)), file, ["platform/restore"]),
        (("suspend",), value, ["platform/backup", "provider/suspend"]),
        (("resume",), value, ["provider/resume"]),
        (("module", "remove", "cats"), byte, ["cats/destroy"]),
    ):
        assert approved_alone(cluster, words, change, ran), words
        if "SIZE=3" in words:
            assert 'CATS_SIZE="3"' in cluster.content("vars")
    assert "cats" not in cluster.content("vars")


def test_every_command_that_acts_can_be_planned():
    """All but tests, whose steps only look."""
    acting = {path for path, verb in every_verb() if any("--take-over" in one.names for one in verb.options)}
    planned = {path for path, verb in every_verb() if any("--approved" in one.names for one in verb.options)}
    others = {"module add", "setup-clients", "image set", "release create", "release make-table"}
    assert planned == (acting - {"test"}) | others


def test_a_module_is_added_with_the_answers_that_were_shown(cluster):
    """What its init proposes is among them: where it proposes something else by then, it is refused."""
    cluster.rigger("provision")
    proposed = os.path.join(cluster.folders["platform"], os.pardir, "proposed")
    with open(proposed, "w") as file:
        file.write("2")
    addon(cluster, init=f'echo "SIZE=$(cat {proposed})" >>"$RIGGER_OUTPUT"\n')
    said = cluster.rigger("module", "add", "cats", "--plan", "-o", "json")
    report = json.loads(said.out)
    assert report["values"] == {"CATS_SIZE": "2"} and report["proposed"] == ["CATS_SIZE"]
    assert "CATS_SIZE" not in cluster.content("vars")
    with open(proposed, "w") as file:
        file.write("3")
    words = ("module", "add", "cats", "--approved", report["digest"])
    assert "something else" in cluster.rigger(*words, code=8).err and "CATS" not in cluster.content("vars")
    said = cluster.rigger("module", "add", "cats", "--plan").out
    shown = said.split("--approved ")[1].split()[0]
    assert f"rigger module add cats --approved {shown}" in said and "would be added" in said
    cluster.rigger("module", "add", "cats", "--approved", shown)
    assert 'CATS_SIZE="3"' in cluster.content("vars")


def test_values_of_a_command_are_not_said_again(cluster):
    addon(cluster)
    cluster.rigger("provision")
    for words in (("module", "add", "cats"), ("provision", "cats")):
        cluster.rigger(*words)
    said = cluster.rigger("scale", "cats", "--set", "SIZE=77", "--plan").out
    assert "the same words, with --approved" in said and "SIZE" not in said.split("the same words")[1]
    assert '="77"' not in cluster.content("vars")
    assert "SIZE" in cluster.rigger("scale", "cats", "--set", "SIZE=many", "--plan", code=2).err


@pytest.mark.parametrize(
    "words, said",
    [
        (("--plan", "--approved", "0" * 64), "--plan shows a plan, and --approved carries one out"),
        (("--approved", "abc"), "is no digest of a plan"),
    ],
)
def test_what_is_no_digest(cluster, words, said):
    assert said in cluster.rigger("provision", *words, code=2).err


def change_a_value(cluster, chance):
    if chance.random() < 0.5:
        cluster.rigger("config", "set", f"COLOUR=c{chance.randrange(10**9)}")
    else:  # by hand
        text = cluster.content("vars").replace(
            "PROVIDER", f'X{chance.randrange(10**9)}="1"\nexport PROVIDER', 1
        )
        with open(cluster.file("vars"), "w") as file:
            file.write(text)


def change_a_byte(cluster, chance):
    role = chance.choice(["provider", "platform"])
    verb = chance.choice(
        {"provider": ["install", "create", "destroy"], "platform": ["deploy", "scale"]}[role]
    )
    path = os.path.join(cluster.folders[role], verb)
    with open(path, "rb") as file:
        content = file.read()
    at = chance.randrange(10, len(content))
    with open(path, "wb") as file:
        file.write(content[:at] + bytes([content[at] ^ 1 or 7]) + content[at + 1 :])


def change_the_commit(cluster, chance):
    git(cluster.folders["platform"], "commit", "-q", "--allow-empty", "-m", str(chance.random()))


def change_the_inventory(cluster, chance):
    nodes = (
        json.loads(cluster.content("inventory.json"))
        if os.path.exists(cluster.file("inventory.json"))
        else []
    )
    nodes.append({"name": f"node-{len(nodes) + 1}", "address": f"10.1.{len(nodes)}.{chance.randrange(250)}"})
    with open(cluster.file("inventory.json"), "w") as file:
        json.dump(nodes, file)


def run_something_else(cluster, chance):
    cluster.rigger(*chance.choice([("check",), ("run", "provider/soil/install"), ("test", "smoke")]))
    cluster.ran()


CHANGES = [change_a_value, change_a_byte, change_the_commit, change_the_inventory, run_something_else]


@pytest.mark.heavy
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_after_it_was_shown(cluster, change):
    if change is run_something_else:
        cluster.script("provider", "install", "")
        cluster.rigger("provision")
        cluster.ran()
    refuse_each(cluster, change)


@pytest.mark.heavy
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "words",
    [
        ("scale", "cats", "--set", "SIZE=3"),
        ("upgrade", "cats"),
        ("module", "remove", "cats"),
        ("module", "add", "dogs"),
    ],
    ids=" ".join,
)
def test_whatever_changes_after_that_of_an_addon_was_shown(cluster, change, words):
    addon(cluster)
    addon(cluster, "dogs")
    cluster.rigger("provision")
    cluster.rigger("module", "add", "cats")
    cluster.rigger("provision", "cats")
    addon(cluster, version="1.1")
    cluster.ran()
    refuse_each(cluster, change, *words)


def refuse_each(cluster, change, *words):
    """Hold a command to its refusal, after each of many changes."""
    chance, refusals = random.Random(change.__name__), 0
    for _ in range(TIMES):
        shown = digest(cluster, *words)
        change(cluster, chance)
        refusals += refused(cluster, shown, *words)
    assert refusals == TIMES


@pytest.mark.slow
def test_a_request_that_was_cut_off_goes_on_with_what_was_approved(cluster):
    """Its own records and nodes are no reason to refuse it; what somebody says otherwise meanwhile is."""
    cluster.script("platform", "deploy", 'kill -9 "$PPID"')
    shown = digest(cluster)
    cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=-9)
    cluster.rigger("config", "set", "COLOUR=blue")
    refused_now = cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=8)
    assert "something else" in refused_now.err
    cluster.rigger("config", "unset", "COLOUR")
    cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=-9)
