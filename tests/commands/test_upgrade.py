"""rigger upgrade"""

import json
import os
import signal
import sys

import pexpect
import pytest
from helpers.clusters import ended, wait_for
from helpers.second_machine import PLATFORM, VERSION_OF, contents, dies, elsewhere, fields, forest, git

UPGRADE = ["upgrade", "--version", "1.10.0", "--upgrade-style", "graceful"]
STEPS = ["platform/backup", "platform/upgrade-graceful", "platform/check"]
WATCHED = ["platform/tests/app-test", *STEPS, "platform/tests/app-test"]


@pytest.fixture
def cluster(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.configure("--set", "VERSION=1.9.0")
    cluster.rigger("provision")
    cluster.ran()
    return cluster


@pytest.fixture
def watched(cluster):
    cluster.rigger("test", "app-deploy")
    cluster.ran()
    return cluster


def version(cluster) -> str:
    assert (
        cluster.rigger("config", "get", "VERSION").out == cluster.rigger("config", "get", "TREE_VERSION").out
    )
    return cluster.rigger("config", "get", "VERSION").out.strip()


def running(cluster) -> str:
    return cluster.content("modules", "tree", "running").strip()


def changes_nothing(cluster) -> bool:
    return cluster.plan()["changes"] is False


# What makes no sense


@pytest.mark.parametrize(
    "words, told",
    [
        (["--version", "1.9.0"], "runs tree 1.9.0 already"),
        (["--version", "1.8.0"], "1.8.0 is older than 1.9.0, which the cluster runs"),
        (["--version", "1.10"], "has no version '1.10' (did you mean 1.10.0?)"),
        (["--version", "3.0.0"], "has no version '3.0.0'"),
        (["--version", ""], "has no version ''"),
        (["--version", "2.0.0"], "cannot go graceful from 1.9.0 to 2.0.0: only within a major version"),
        (["--version", "1.10.0", "--upgrade-style", "sudden"], "has no upgrade style 'sudden'"),
        (["--continue"], "No upgrade of wood is unfinished"),
        (["--rollback"], "No upgrade of wood is unfinished"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(cluster, words, told):
    style = [] if "--upgrade-style" in words or "--version" not in words else ["--upgrade-style", "graceful"]
    before = cluster.content("audit.jsonl")
    refused = cluster.rigger("upgrade", *words, *style, code=2)
    assert told in refused.err and len(refused.err.splitlines()) == 2
    assert cluster.ran() == []
    assert cluster.content("audit.jsonl") == before
    assert not os.path.exists(cluster.file("saved"))


JUMPS = [
    ("{minors: 1}", "1.8.0", "1.10.0", "one jump spans at most 1 minor version", "Go to 1.9 first"),
    ("{minors: 0}", "1.9.0", "1.10.0", "at most 0 minor versions", "Go to 1.9 first"),
    ("{within: minor}", "1.9.0", "1.10.0", "only within a minor version", "another --upgrade-style"),
    ("{within: major}", "1.9.0", "2.0.0", "only within a major version", "another --upgrade-style"),
    ("{since: 1.9.1}", "1.9.0", "1.10.0", "only from 1.9.1 on; this cluster runs 1.9.0", "in steps"),
]


@pytest.mark.parametrize("rule, start, to, told, next_step", JUMPS)
def test_jumps_that_the_manifest_rules_out(rigger, modules, rule, start, to, told, next_step):
    cluster = forest(rigger, modules)
    rules = PLATFORM[: PLATFORM.index("    upgrades:")] + f"    upgrades:\n      graceful: {rule}\n"
    with open(os.path.join(cluster.folders["platform"], "rigger.yml"), "w") as file:
        import textwrap

        file.write("interface: 2\nname: tree\nrole: platform\n" + textwrap.dedent(rules))
    cluster.configure("--set", f"VERSION={start}")
    cluster.rigger("provision")
    refused = cluster.rigger("upgrade", "--version", to, "--upgrade-style", "graceful", code=2)
    assert told in refused.err and next_step in refused.err


@pytest.mark.parametrize(
    "pattern, told", [(True, '"rigger upgrade --version VERSION"'), (False, "tree/rigger.yml lists it")]
)
def test_at_the_newest_it_says_how_a_newer_one_gets_known(cluster, pattern, told):
    manifest = os.path.join(cluster.folders["platform"], "rigger.yml")
    with open(manifest) as file:
        text = file.read().replace(", 1.10.0, 2.0.0]", "]")
    with open(manifest, "w") as file:
        file.write(text if pattern else text.replace("version-pattern: 1[.]10[.][0-9]\n", ""))
    refused = cluster.rigger("upgrade", code=2).err
    assert "1.9.0 is the newest version of tree that is known." in refused and told in refused


@pytest.mark.slow
def test_a_downgrade_has_to_be_meant(cluster):
    cluster.rigger("upgrade", "--version", "1.8.0", "--upgrade-style", "graceful", "--allow-downgrade")
    assert version(cluster) == "1.8.0" and running(cluster) == "1.9.0 to 1.8.0"


def test_there_must_be_a_cluster(rigger, modules):
    cluster = forest(rigger, modules)
    assert "There is no environment" in cluster.rigger(*UPGRADE, code=3).err
    cluster.configure("--set", "VERSION=1.9.0")
    assert "no cluster to upgrade" in cluster.rigger(*UPGRADE, code=3).err
    cluster.rigger("provision")
    cluster.rigger("config", "set", "VERSION=1.10.0")
    cluster.rigger(*UPGRADE)  # a version that is only configured is a wish


def test_a_platform_that_cannot_be_upgraded(rigger):
    rigger(
        "configure",
        "--defaults",
        "--name",
        "x",
        "--platform",
        "noop",
        "--provider",
        "noop",
        "--version",
        "1.0.0",
    )
    rigger("provision")
    refused = rigger("upgrade", "--version", "1.1.0", code=2)
    assert "noop has no upgrades" in refused.err
    assert (
        "It offers: none"
        in rigger("upgrade", "--version", "1.1.0", "--upgrade-style", "graceful", code=2).err
    )


def test_what_is_missing_is_said_where_nobody_can_be_asked(cluster):
    assert "--version VERSION: 2.0.0, 1.10.0." in cluster.rigger("upgrade", code=2).err
    assert (
        "--upgrade-style STYLE: graceful, inplace."
        in cluster.rigger("upgrade", "--version", "1.10.0", code=2).err
    )


@pytest.mark.slow
def test_what_is_missing_is_asked(cluster):
    child = pexpect.spawn(
        sys.executable,
        ["-m", "rigger", "upgrade"],
        env=cluster.rigger.env,
        cwd=cluster.rigger.folder,
        timeout=30,
        dimensions=(40, 120),
    )
    child.expect("Upgrade from 1.9.0 to")
    child.send("\x1b[B\r")  # the newest is first
    child.expect("How")
    child.send("\r")
    child.expect("wood runs 1.10.0")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert cluster.ran() == STEPS


# What it does


@pytest.mark.slow
def test_the_plan(watched):
    said = watched.rigger(*UPGRADE, "--plan")
    assert "wood: tree from 1.9.0 to 1.10.0, graceful" in said.out
    rows = [
        line.split()[2]
        for line in said.out.splitlines()
        if line.strip()[:2] in ("1.", "2.", "3.", "4.", "5.")
    ]
    assert rows == ["tests/app-test", "backup", "upgrade-graceful", "check", "tests/app-test"]
    found = json.loads(watched.rigger(*UPGRADE, "--plan", "-o", "json").out)
    assert [step["step"] for step in found["steps"]] == rows
    assert watched.ran() == [] and not os.path.exists(watched.file("saved"))
    assert json.loads(watched.rigger("status", "-o", "json").out)["upgrade"] is None


@pytest.mark.slow
@pytest.mark.parametrize("style", ["graceful", "inplace"])
def test_an_upgrade(watched, style):
    cluster = watched
    cluster.script(
        "platform",
        f"upgrade-{style}",
        VERSION_OF + '. "$RIGGER_VARS_FILE"; echo "recorded: $VERSION"; ls "$RIGGER_ENVIRONMENT_DIR/backups"',
    )
    said = cluster.rigger("upgrade", "--version", "1.10.0", "--upgrade-style", style)
    assert cluster.ran() == [name.replace("graceful", style) for name in WATCHED]
    assert running(cluster) == "1.9.0 to 1.10.0"
    assert "recorded: 1.9.0" in said.out
    assert version(cluster) == "1.10.0"
    assert "wood runs 1.10.0." in said.out
    assert "lost: 0" in said.out and "longest gap seconds: 0.84" in said.out
    [backup] = os.listdir(cluster.file("backups"))
    assert backup in said.out
    assert changes_nothing(cluster)
    cluster.rigger("provision", "--plan", "--exit-code")
    finished = [record for record in cluster.records() if record["event"] == "upgrade-finished"][-1]
    assert finished["figures"] == {"lost": "0", "longest_gap_seconds": "0.84"}
    status = json.loads(cluster.rigger("status", "-o", "json").out)
    assert (status["state"], status["deployed_version"], status["upgrade"]) == ("deployed", "1.10.0", None)
    assert "unbroken" in cluster.rigger("audit").out


@pytest.mark.slow
def test_figures_as_json_and_in_test_reports(watched):
    found = json.loads(watched.rigger(*UPGRADE, "-o", "json").out)
    assert (found["from"], found["to"]) == ("1.9.0", "1.10.0")
    figures = {step["step"]: step.get("figures") for step in found["steps"]}
    assert figures["backup"] == {"keys": "7"}
    assert figures["tests/app-test"] == {"lost": "0", "longest_gap_seconds": "0.84"}
    tested = json.loads(watched.rigger("test", "app-test", "-o", "json").out)
    assert tested["tests"][0]["figures"]["lost"] == "0"
    with open(os.path.join(tested["report"], "summary.json")) as file:
        assert json.load(file)["tests"][0]["figures"]["longest_gap_seconds"] == "0.84"
    with open(os.path.join(tested["report"], "junit.xml")) as file:
        assert '<property name="lost" value="0" />' in file.read()


@pytest.mark.slow
def test_applications_that_were_removed_are_not_tested(watched):
    watched.rigger("test", "app-destroy")
    watched.ran()
    watched.rigger(*UPGRADE)
    assert watched.ran() == STEPS


@pytest.mark.slow
def test_what_was_saved_before_can_be_loaded(cluster, tmp_path):
    said = cluster.rigger(*UPGRADE)
    [name] = os.listdir(cluster.file("saved"))
    path = cluster.file("saved", name)
    assert f"Saved before the upgrade:\n  {path}\n" in said.out
    assert (fields(path)["version"], b'VERSION="1.9.0"' in contents(path)["vars"]) == ("1.9.0", True)
    other = elsewhere(cluster.rigger, tmp_path)
    other("configure", "--file", path)
    assert other("config", "get", "VERSION").out == "1.9.0\n"
    cluster.rigger("configure", "--file", path, code=9)


@pytest.mark.slow
def test_one_upgrade_after_the_other(cluster):
    cluster.rigger(*UPGRADE)
    cluster.rigger("upgrade", "--version", "1.10.1", "--upgrade-style", "inplace")
    assert version(cluster) == "1.10.1" and running(cluster) == "1.10.0 to 1.10.1"
    assert len(os.listdir(cluster.file("saved"))) == len(os.listdir(cluster.file("backups"))) == 2
    assert changes_nothing(cluster)


def test_what_is_not_ready_changes_nothing(cluster):
    os.chmod(os.path.join(cluster.folders["platform"], "upgrade-graceful"), 0o600)
    assert "is not executable" in cluster.rigger(*UPGRADE, code=4).err
    assert cluster.ran() == [] and not os.path.exists(cluster.file("saved"))


# When it fails


STATES = {
    "upgrade-graceful": "is between two versions, on its way from 1.9.0 to 1.10.0",
    "check": "All members were brought from 1.9.0 to 1.10.0, but",
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", STATES)
def test_a_failure_tells_the_state_and_the_ways_out(watched, verb):
    good = {"check": "", "upgrade-graceful": VERSION_OF}
    watched.script("platform", verb, "echo it broke; exit 3")
    failed = watched.rigger(*UPGRADE, code=5)
    assert f"platforms/tree/{verb} exited 3" in failed.err
    assert STATES[verb] in failed.err and "1.9.0 is recorded" in failed.err
    assert '"rigger upgrade --continue"' in failed.err and '"rigger upgrade --rollback"' in failed.err
    [backup] = os.listdir(watched.file("backups"))
    assert f"rigger restore {watched.file('backups', backup)}" in failed.err
    assert version(watched) == "1.9.0"
    status = watched.rigger("status")
    assert "The upgrade of wood from 1.9.0 to 1.10.0 is not finished." in status.out
    assert "rigger upgrade --continue" in status.out
    assert json.loads(watched.rigger("status", "-o", "json").out)["upgrade"]["to"] == "1.10.0"
    for words in (["provision"], UPGRADE):
        refused = watched.rigger(*words, code=3)
        assert "from 1.9.0 to 1.10.0 is not finished" in refused.err and "--continue" in refused.err
    done = watched.ran()
    watched.script("platform", verb, good[verb])
    said = watched.rigger("upgrade", "--continue")
    assert "wood runs 1.10.0." in said.out and "Saved before" not in said.out
    again = watched.ran()
    assert done.count("platform/backup") + again.count("platform/backup") == 1
    if verb == "check":
        assert "platform/upgrade-graceful" not in again
    assert again[-2:] == WATCHED[-2:]
    assert version(watched) == "1.10.0" and changes_nothing(watched)
    assert json.loads(watched.rigger("status", "-o", "json").out)["upgrade"] is None


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["tests/app-test", "backup"])
def test_a_failure_that_changed_nothing_ends_it(watched, verb):
    watched.script("platform", verb, "echo it broke; exit 3")
    failed = watched.rigger(*UPGRADE, code=5)
    assert "still runs 1.9.0: nothing of it was changed, and this upgrade is over." in failed.err
    assert f'"rigger {" ".join(UPGRADE)}"' in failed.err and "--continue" not in failed.err
    status = json.loads(watched.rigger("status", "-o", "json").out)
    assert (status["upgrade"], status["state"], version(watched)) == (None, "deployed", "1.9.0")
    assert "No upgrade of wood is unfinished." in watched.rigger("upgrade", "--continue", code=2).err
    watched.rigger("provision")
    watched.ran()
    watched.script("platform", verb, 'echo data >"${RIGGER_BACKUP_FILE:-/dev/null}"')
    watched.rigger(*UPGRADE)
    assert watched.ran() == WATCHED and version(watched) == "1.10.0"


@pytest.mark.slow
def test_a_skipped_test_is_no_failure(watched):
    watched.script("platform", "tests/app-test", "echo not here; exit 77")
    said = watched.rigger(*UPGRADE)
    assert said.out.count("skipped") == 2 and "wood runs 1.10.0." in said.out
    assert watched.ran() == WATCHED and version(watched) == "1.10.0"
    assert "app-test skipped" in watched.rigger("status").out.replace("tests/", "")
    last = json.loads(watched.rigger("status", "-o", "json").out)["last_run"]
    assert [step["step"] for step in last["steps"] if step.get("skipped")] == ["tests/app-test"] * 2


@pytest.mark.slow
def test_applications_are_not_watched_once_their_removal_began(watched):
    watched.script("platform", "tests/app-destroy", "exit 1")
    watched.rigger("test", "app-destroy", code=6)
    watched.script("platform", "tests/app-test", "echo none is deployed; exit 1")
    watched.ran()
    watched.rigger(*UPGRADE)
    assert "platform/tests/app-test" not in watched.ran() and version(watched) == "1.10.0"


@pytest.mark.slow
def test_the_way_back(watched):
    watched.script("platform", "upgrade-graceful", VERSION_OF + "exit 3")
    watched.rigger(*UPGRADE, code=5)
    watched.ran()
    watched.script("platform", "upgrade-graceful", VERSION_OF)
    for words in (
        ["--continue", "--rollback"],
        ["--continue", "--version", "1.10.0"],
        ["--rollback", "--upgrade-style", "x"],
    ):
        assert "stand alone" in watched.rigger("upgrade", *words, code=2).err
    said = watched.rigger("upgrade", "--rollback")
    assert "wood: tree back from 1.10.0 to 1.9.0, graceful" in said.out and "wood runs 1.9.0." in said.out
    assert running(watched) == "1.10.0 to 1.9.0"
    assert watched.ran() == WATCHED[2:], "what is ill is no reason to stay there"
    assert version(watched) == "1.9.0" and changes_nothing(watched)
    watched.rigger(*UPGRADE)
    assert version(watched) == "1.10.0"


@pytest.mark.slow
def test_a_way_back_that_fails_can_be_gone_on_with(cluster):
    cluster.script("platform", "upgrade-graceful", "exit 3")
    cluster.rigger(*UPGRADE, code=5)
    failed = cluster.rigger("upgrade", "--rollback", code=5)
    assert "--continue" in failed.err and "--rollback" not in failed.err
    cluster.script("platform", "upgrade-graceful", VERSION_OF)
    cluster.rigger("upgrade", "--continue")
    assert running(cluster) == "1.10.0 to 1.9.0"
    assert version(cluster) == "1.9.0" and changes_nothing(cluster)


@pytest.mark.slow
def test_a_restore_ends_it(cluster):
    cluster.script("platform", "upgrade-graceful", "exit 3")
    failed = cluster.rigger(*UPGRADE, code=5)
    [backup] = os.listdir(cluster.file("backups"))
    assert f'"rigger restore {cluster.file("backups", backup)}"' in failed.err
    cluster.rigger("restore", cluster.file("backups", backup), "--yes")
    assert json.loads(cluster.rigger("status", "-o", "json").out)["upgrade"] is None
    assert version(cluster) == "1.9.0"
    cluster.rigger("provision")


@pytest.mark.parametrize(("back", "restores"), [("restore", True), ("none", False)])
def test_what_goes_one_way_only_names_the_other_ways(cluster, back, restores):
    manifest = os.path.join(cluster.folders["platform"], "rigger.yml")
    with open(manifest) as file:
        text = file.read()
    assert "within: major" in text
    with open(manifest, "w") as file:
        file.write(text.replace("within: major", f"within: major, rollback: {back}", 1))
    cluster.script("platform", "upgrade-graceful", "exit 3")
    failed = cluster.rigger(*UPGRADE, code=5)
    [backup] = os.listdir(cluster.file("backups"))
    way = f'"rigger restore {cluster.file("backups", backup)}"'
    assert "--continue" in failed.err and "--rollback" not in failed.err and (way in failed.err) is restores
    refused = cluster.rigger("upgrade", "--rollback", code=2)
    assert f"its manifest says rollback: {back}." in refused.err and "--continue" in refused.err
    assert (way in refused.err) is restores


@pytest.mark.slow
def test_a_destroy_ends_it(cluster):
    cluster.script("platform", "upgrade-graceful", "exit 3")
    cluster.rigger(*UPGRADE, code=5)
    cluster.rigger("destroy", "--yes")
    cluster.rigger("provision")
    assert version(cluster) == "1.9.0"


@pytest.mark.slow
def test_an_unfinished_one_goes_on_on_another_machine(cluster, tmp_path):
    cluster.script("platform", "upgrade-graceful", "exit 3")
    cluster.rigger(*UPGRADE, code=5)
    cluster.script("platform", "upgrade-graceful", VERSION_OF)
    cluster.rigger("save", "-o", tmp_path / "x.rigger")
    other = elsewhere(cluster.rigger, tmp_path)
    other("configure", "--file", tmp_path / "x.rigger")
    assert "is not finished" in other("status").out
    cluster.ran()
    other("upgrade", "--continue")
    assert cluster.ran() == STEPS[1:]
    assert other("config", "get", "VERSION").out == "1.10.0\n"


# Killed and stopped


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["upgrade-graceful", "check", "tests/app-test"])
def test_killed_inside_a_step_it_resumes_with_that_step(watched, verb):
    body = {"upgrade-graceful": VERSION_OF}.get(verb, "")
    # The tests run before and after: killed is the one after.
    condition = (
        f'[ ! -e "{watched.file("modules", "tree", "running")}" ] ||' if verb == "tests/app-test" else ""
    )
    watched.script("platform", verb, f'{condition} kill -9 "$PPID"\n')
    watched.rigger(*UPGRADE, code=-9)
    assert version(watched) == "1.9.0"
    assert "is not finished" in watched.rigger("status").out
    watched.rigger("provision", code=3)
    first = watched.ran()
    assert first[-1] == f"platform/{verb}"
    watched.script("platform", verb, body)
    watched.rigger("upgrade", "--continue")
    again = watched.ran()
    assert f"platform/{verb}" in again
    for done in ("platform/backup", "platform/upgrade-graceful"):
        assert [*first, *again].count(done) == (2 if done == f"platform/{verb}" else 1)
    assert version(watched) == "1.10.0" and changes_nothing(watched)
    assert "unbroken" in watched.rigger("audit").out


@pytest.mark.slow
def test_killed_while_it_backs_up_it_has_changed_nothing_and_is_over(watched):
    watched.script("platform", "backup", 'kill -9 "$PPID"\n')
    watched.rigger(*UPGRADE, code=-9)
    assert "is not finished" not in watched.rigger("status").out and version(watched) == "1.9.0"
    watched.script("platform", "backup", 'echo data >"$RIGGER_BACKUP_FILE"')
    watched.rigger(*UPGRADE)
    assert version(watched) == "1.10.0" and changes_nothing(watched)


# The claim and the upgrade begin, the run begins, three steps start and end, the run ends, the upgrade ends.
RECORDS = 11
CHANGES = 6  # the record after which something is changed: before it an upgrade that is cut off is over


@pytest.mark.slow
@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.heavy), "after"])
@pytest.mark.parametrize("number", range(1, RECORDS + 1))
def test_killed_at_any_record_it_resumes(cluster, number, when):
    assert dies(cluster.rigger, number, when, *UPGRADE) is False
    first = cluster.ran()
    assert (version(cluster) == "1.9.0") == (number < RECORDS)
    pending = json.loads(cluster.rigger("status", "-o", "json").out)["upgrade"]
    begun = number > CHANGES or (number, when) == (CHANGES, "after")
    ended_ = (number, when) == (RECORDS, "after")
    assert (pending is not None) == (begun and not ended_)
    if pending:
        cluster.rigger("provision", code=3)
    if not ended_:
        cluster.rigger("upgrade", "--continue") if pending else cluster.rigger(*UPGRADE)
    again = cluster.ran()
    assert version(cluster) == "1.10.0" and running(cluster) == "1.9.0 to 1.10.0"
    # A step is repeated only when its end is not on record, or when the upgrade begins anew.
    for position, step in enumerate(STEPS[:2]):
        unrecorded = (number, when) in ((5 + 2 * position, "before"),)
        anew = step in first and not begun
        assert [*first, *again].count(step) == (2 if unrecorded or anew else 1), (first, again)
    assert changes_nothing(cluster) and "unbroken" in cluster.rigger("audit").out


@pytest.mark.slow
def test_ctrl_c_stops_it_and_says_how_to_go_on(cluster):
    cluster.script(
        "platform",
        "upgrade-graceful",
        "trap 'exit 4' INT\n: >\"$RIGGER_STATE_DIR/ready\"\nwhile :; do sleep 0.05; done",
    )
    process = cluster.rigger.start(*UPGRADE)
    wait_for(lambda: os.path.exists(cluster.file("modules", "tree", "ready")))
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and "is between two versions" in said and "--continue" in said
    cluster.script("platform", "upgrade-graceful", VERSION_OF)
    cluster.rigger("upgrade", "--continue")
    assert version(cluster) == "1.10.0"


@pytest.mark.slow
def test_two_at_once(cluster):
    cluster.script(
        "platform",
        "backup",
        ': >"$RIGGER_STATE_DIR/ready"; while [ ! -e "$RIGGER_STATE_DIR/go" ]; do sleep 0.05; done'
        '; echo data >"$RIGGER_BACKUP_FILE"',
    )
    process = cluster.rigger.start(*UPGRADE)
    wait_for(lambda: os.path.exists(cluster.file("modules", "tree", "ready")))
    for words in (UPGRADE, ["upgrade", "--continue"], ["save", "-o", "x.rigger"]):
        assert '"rigger upgrade"' in cluster.rigger(*words, code=7).err
    open(cluster.file("modules", "tree", "go"), "w").close()
    assert ended(process)[0] == 0


# A platform that lies in a git repository


@pytest.fixture
def repository(cluster):
    """Put the platform into a git repository, with a tag for each version; the newer one has a file more."""
    folder = cluster.folders["platform"]
    cluster.script(
        "platform", "upgrade-graceful", VERSION_OF + 'cat "$TREE_ROOT/new" >>"$NOTED" 2>/dev/null || exit 9\n'
    )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "old")
    git(folder, "tag", "v1.9.0")
    with open(os.path.join(folder, "new"), "w") as file:
        file.write("new\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "new")
    git(folder, "tag", "1.10.0")
    git(folder, "checkout", "-q", "-B", "hacking", "v1.9.0")
    cluster.rigger("provision", "--again")
    cluster.ran()
    return folder


@pytest.mark.slow
def test_the_new_version_is_checked_out_before_its_upgrade(cluster, repository):
    said = cluster.rigger(*UPGRADE).out
    commit = git(repository, "rev-parse", "1.10.0").strip()
    assert f"Checked out 1.10.0 ({commit[:12]})" in said
    assert git(repository, "rev-parse", "HEAD").strip() == commit and "new" in cluster.ran()
    record = next(record for record in cluster.records() if record["event"] == "checked-out")
    assert record["commit"] == commit and record["before"] == git(repository, "rev-parse", "v1.9.0").strip()
    assert git(repository, "rev-parse", "hacking").strip() == record["before"]
    cluster.rigger("check")
    assert [r for r in cluster.records() if r["event"] == "run-started"][-1]["commit"] == commit


@pytest.mark.slow
def test_the_way_back_checks_the_old_commit_out_again(cluster, repository):
    git(repository, "checkout", "-q", "1.10.0")
    cluster.script("platform", "upgrade-graceful", "exit 4")
    git(repository, "commit", "-qam", "an upgrade that fails")
    git(repository, "tag", "-f", "1.10.0")
    git(repository, "checkout", "-q", "v1.9.0")
    cluster.rigger(*UPGRADE, code=5)
    assert git(repository, "rev-parse", "HEAD").strip() == git(repository, "rev-parse", "1.10.0").strip()
    said = cluster.rigger("upgrade", "--rollback", code=None)
    assert git(repository, "rev-parse", "HEAD").strip() == git(repository, "rev-parse", "v1.9.0").strip(), (
        said
    )


def test_local_changes_are_never_overwritten(cluster, repository):
    with open(os.path.join(repository, "rigger.yml"), "a") as file:
        file.write("# mine\n")
    said = cluster.rigger(*UPGRADE, code=4).err
    assert "rigger.yml" in said and "stash" in said and cluster.ran() == [] and version(cluster) == "1.9.0"


def test_a_tag_that_is_missing_is_named(cluster, repository):
    git(repository, "tag", "-d", "1.10.0")
    said = cluster.rigger(*UPGRADE, code=4).err
    assert "has no tag for 1.10.0" in said and "fetch --tags" in said and cluster.ran() == []


def test_the_backup_is_of_the_version_that_runs(cluster):
    cluster.script("platform", "backup", 'echo "$TREE_VERSION $VERSION" >"$RIGGER_BACKUP_FILE"')
    cluster.rigger(*UPGRADE)
    assert cluster.content("backups", os.listdir(cluster.file("backups"))[0]) == "1.9.0 1.9.0\n"
    started = [r for r in cluster.records() if r["event"] == "step-started" and r["step"] == "backup"]
    assert started[-1]["parameters"]["VERSION"] == "1.9.0"


def test_what_a_failed_backup_wrote_is_no_backup(cluster):
    cluster.script("platform", "backup", 'echo half >"$RIGGER_BACKUP_FILE"; exit 3')
    cluster.rigger(*UPGRADE, code=5)
    assert [name.endswith(".backup.incomplete") for name in os.listdir(cluster.file("backups"))] == [True]
    assert "rigger restore" not in cluster.rigger(*UPGRADE, code=5).err


def test_no_backup_no_upgrade(cluster):
    cluster.script("platform", "backup")
    assert "no backup was written" in cluster.rigger(*UPGRADE, code=5).err
    assert cluster.ran() == ["platform/backup"] and version(cluster) == "1.9.0"


def test_a_backup_made_half_way_is_not_the_data_of_before(cluster):
    cluster.script("platform", "upgrade-graceful", "exit 4")
    first = cluster.rigger(*UPGRADE, code=5).err
    cluster.rigger("backup")
    again = cluster.rigger("upgrade", "--continue", code=5).err
    restore = next(line for line in first.split('"') if line.startswith("rigger restore"))
    assert restore in again
