"""Where a platform in a git repository comes from: a release, a branch, tag or commit, or a folder; real repositories."""

import json
import os
import shutil

import pytest
from helpers.clusters import wait_for
from helpers.conversations import CTRL_C, DOWN, ENTER, Conversation
from helpers.platform_repository import PLATFORM, SAYS, checkout_of, vars_of
from helpers.repositories import git

from rigger.envfile import file as envfile


def planned(rigger):
    """Return the steps of the next provision, as module/script."""
    report = json.loads(rigger("provision", "--plan", "-o", "json").out)
    return [
        f"{step['module'].split('/')[1]} {step['step']}"
        for step in report["steps"]
        if step["step"] != "check"
    ]


def events(rigger, event, name="oak"):
    with open(rigger.path("environments", name, "audit.jsonl")) as file:
        return [record for record in map(json.loads, file) if record["event"] == event]


# Without a terminal


def test_the_newest_release_is_the_default(rigger, repository, oak):
    said = oak()
    found = vars_of(rigger)
    assert found["VERSION"] == found["OAK_VERSION"] == "v1.10.0" and found["REPOSITORY"] == repository.url
    assert found["OAK_ROOT"] == checkout_of(rigger) and "REF" not in found and "PLATFORM_SOURCE" not in found
    assert git(found["OAK_ROOT"], "rev-parse", "HEAD") == git(
        repository.folder, "rev-parse", "v1.10.0^{commit}"
    )
    (record,) = events(rigger, "checked-out")
    assert record["commit"] == git(found["OAK_ROOT"], "rev-parse", "HEAD") and record["version"] == "v1.10.0"
    assert f"--repository {repository.url} --version v1.10.0 --platform oak --provider soil" in said.out
    assert "rigger configure --no-input --trust --name oak" in said.out
    assert os.listdir(rigger.path("drafts")) == []
    run = rigger("provision", "-v").out
    assert f"of v1.10.0 in {checkout_of(rigger)}" in run and "rigger/deploy" in run


def test_a_candidate_that_is_the_newest_counts_as_released(rigger, repository, oak):
    repository.release("v1.11.0-rc.1")
    oak()
    assert vars_of(rigger)["VERSION"] == "v1.11.0-rc.1"


@pytest.mark.parametrize(
    ("words", "version"),
    [
        (["--version", "1.9.0"], "v1.9.0"),
        (["--version", "v1.10.0-rc.1"], "1.10.0-rc.1"),
        (["--ref", "v1.9.0"], "v1.9.0-0-g"),
    ],
)
def test_a_release_is_called_as_its_tag_is(rigger, oak, words, version):
    oak(*words)
    assert vars_of(rigger)["VERSION"].startswith(version)


@pytest.mark.slow
def test_a_branch_a_commit_and_a_folder(rigger, repository, oak):
    tip = git(repository.folder, "rev-parse", "next")
    oak("--name", "a", "--ref", "next")
    oak("--name", "b", "--ref", tip[:10])
    for name, ref in (("a", "next"), ("b", tip[:10])):
        found = vars_of(rigger, name)
        assert (found["REF"], git(found["OAK_ROOT"], "rev-parse", "HEAD")) == (ref, tip)
        assert found["VERSION"] == git(
            found["OAK_ROOT"], "describe", "--long", "--dirty", "--tags", "--always"
        )
    repository.write("release", "changed\n")
    said = rigger(
        "configure", "--no-input", "--name", "c", "--path", repository.folder, "--provider", "soil"
    ).out
    found = vars_of(rigger, "c")
    assert found["CHECKOUT"] == found["OAK_ROOT"] == repository.folder and "REPOSITORY" not in found
    assert (
        found["VERSION"] == git(repository.folder, "describe", "--long", "--dirty", "--tags")
        and "dirty" in found["VERSION"]
    )
    assert f"--path {repository.folder} --platform oak" in said and not os.path.exists(
        checkout_of(rigger, "c")
    )
    rigger("provision")


@pytest.mark.slow
def test_the_printed_command_makes_the_same_again(rigger, oak):
    command = next(
        line for line in oak("--ref", "next").out.splitlines() if line.startswith("  rigger configure")
    )
    first = vars_of(rigger)
    words = command.replace("--name oak", "--name again").split()[1:]
    rigger(*words, "--trust")
    second = vars_of(rigger, "again")
    same = {name for name in first if first[name] == second[name]}
    assert {"VERSION", "REF", "REPOSITORY", "PLATFORM", "PROVIDER"} <= same
    assert rigger(*words).out.count("stays as it was") == 1


@pytest.mark.slow
def test_values_of_the_environment_and_of_an_answers_file(rigger, repository):
    rigger("configure", "--no-input", "--trust", env={
        "RIGGER_REPOSITORY": repository.url, "RIGGER_REF": "next", "RIGGER_PROVIDER": "soil",
    })  # fmt: skip
    assert vars_of(rigger)["REF"] == "next"
    answers = os.path.join(rigger.folder, "answers.env")
    with open(answers, "w") as file:
        file.write(f"REPOSITORY={repository.url}\nVERSION=1.9.0\nPROVIDER=soil\n")
    rigger("configure", "--no-input", "--trust", "--answers", answers, "--name", "b")
    assert vars_of(rigger, "b")["VERSION"] == "v1.9.0"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--version", "7"], 2, "has no release '7'"),
        (["--ref", "nxet"], 2, "did you mean next?"),
        (["--ref", "next", "--version", "1.9.0"], 2, "exclude each other"),
        (["--path", ".", "--version", "1.9.0"], 2, "exclude each other"),
        (["--path", "."], 2, "--repository and --path exclude each other"),
        (["--ref", "--upload-pack=x"], 9, "upload-pack"),
        (["--ref", ""], 2, "--ref is given, but empty"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(rigger, oak, words, code, said):
    answered = oak(*words, code=code)
    assert said in answered.err and not os.path.exists(rigger.path("environments", "oak"))


@pytest.mark.parametrize(
    "url", ["ext::sh -c id", "git://localhost/oak", "-oProxyCommand=id", "https://u:p@localhost/x"]
)
def test_a_url_that_git_may_not_be_given(oak, url):
    assert oak(f"--repository={url}", url="/x", code=9).err.strip()


@pytest.mark.slow
def test_another_repository_is_another_environment(rigger, repository, oak, tmp_path):
    # what many have done before they have a repository
    rigger("configure", "--defaults", "--provider", "noop")
    before = rigger.path("environments", "etcd", "vars")
    untouched = open(before).read()
    nowhere = f"file://{tmp_path}/nowhere"
    for words, env in (
        (["--repository", repository.url], {}),
        (["--repository", nowhere, "--platform", "oak"], {}),
        (["--path", repository.folder], {}),
        (["--path", str(tmp_path / "nowhere")], {}),
        ([], {"RIGGER_REPOSITORY": nowhere}),
    ):
        said = rigger("configure", "--no-input", "--provider", "soil", *words, code=2, env=env).err
        assert "etcd, which this would change, has the platform etcd, not from " in said
        assert '"rigger configure --name NAME"' in said
    assert open(before).read() == untouched and not os.path.exists(rigger.path("drafts", "etcd"))
    oak("--name", "oak")
    said = rigger("configure", "--no-input", "--repository", nowhere, code=2).err
    assert f"has its platform from {repository.url}, not from {nowhere}" in said
    assert "add --name oak to change this one" in said
    assert "cannot be reached" in oak("--name", "oak", url=nowhere, code=4).err


@pytest.mark.slow
def test_another_provider_is_refused_before_a_repository_is_asked(rigger, oak, tmp_path):
    oak()
    rigger("provision")
    said = oak("--provider", "local", url=f"file://{tmp_path}/nowhere", code=2).err
    assert "was made with PROVIDER=soil, which cannot change while it exists" in said


@pytest.mark.slow
def test_the_same_platform_from_elsewhere_is_the_same_environment(rigger, repository, oak, tmp_path):
    oak()
    clone = str(tmp_path / "clone")
    git(tmp_path, "clone", "-q", repository.url, clone)
    for place in (clone, repository.folder):
        rigger("configure", "--no-input", "--path", place)
        assert vars_of(rigger)["CHECKOUT"] == place
    shutil.move(repository.folder, tmp_path / "moved")
    rigger("configure", "--no-input", "--path", str(tmp_path / "moved"))
    oak(url=f"file://{tmp_path}/moved")
    assert os.listdir(rigger.path("environments")) == ["oak"]


@pytest.mark.slow
def test_changing_something_else_keeps_the_repository_that_a_manifest_names(rigger, repository, modules):
    modules.write("platform", "oak", f"repository: {repository.url}\nversions: git-tags\n")
    words = ["configure", "--no-input", "--trust", "--platform", "oak", "--provider", "soil"]
    rigger(*words, "--version", "1.9.0")
    before = vars_of(rigger)
    for again in (["configure", "--no-input", "--set", "COLOUR=red"], words):
        rigger(*again)
        assert vars_of(rigger) == {**before, "COLOUR": "red"}
    rigger("config", "set", "COLOUR=blue")
    assert vars_of(rigger) == {**before, "COLOUR": "blue"} and before["REPOSITORY"] == repository.url


@pytest.mark.slow
def test_the_repository_of_a_platform_that_is_known_needs_no_name(rigger, repository, oak, modules):
    git(repository.folder, "rm", "-rq", "--cached", "rigger")
    shutil.rmtree(os.path.join(repository.folder, "rigger"))
    for tag in ("0.9.0", "v2.0.0"):
        repository.release(tag)
    said = oak(code=9).err
    assert f"{repository.url} has no manifest of a platform" in said and "--platform NAME" in said
    url = repository.url.replace("file://", "")
    modules.write("platform", "oak", f"repository: {url}.git\nversions: git-tags\ninterfaces: {{2: 1.9.0}}\n")
    oak(url=url)
    assert (vars_of(rigger)["PLATFORM"], vars_of(rigger)["VERSION"]) == ("oak", "v2.0.0")
    assert "stays as it was" in oak(url=f"{url}/").out
    git(repository.folder, "clone", "-q", url, f"{url}.clone")
    rigger("configure", "--no-input", "--path", f"{url}.clone")
    oak(url=url)
    git(repository.folder, "remote", "add", "origin", f"{url}.git")
    rigger("configure", "--no-input", "--name", "b", "--path", url, "--provider", "soil")
    assert vars_of(rigger, "b")["PLATFORM"] == "oak"


def test_versions_that_speak_no_known_interface_are_not_offered(rigger, repository, modules):
    modules.write(
        "platform", "oak", f"repository: {repository.url}\nversions: git-tags\ninterfaces: {{2: 1.10.0}}\n"
    )
    for words in (["--platform", "oak"], ["--repository", repository.url]):
        conversation = Conversation(rigger, *words, "--provider", "soil").goes(
            ("Where should oak come from?", ENTER), ("1.10.0-beta.1", CTRL_C)
        )
        assert b"1.9.0" not in conversation.ends(130)
        shutil.rmtree(rigger.path("drafts"))


def test_a_repository_that_cannot_be_reached(rigger, oak, tmp_path):
    for words in ([], ["--version", "1.9.0"], ["--ref", "main"]):
        said = oak(*words, url=f"file://{tmp_path}/nowhere", code=4).err
        assert "cannot be reached" in said and "nowhere" in said
    assert not os.path.exists(rigger.path("environments"))


def test_a_repository_without_a_platform(rigger, tmp_path, oak):
    bare = tmp_path / "bare"
    os.makedirs(bare)
    git(bare, "init", "-q")
    (bare / "file").write_text("x")
    git(bare, "add", "-A")
    git(bare, "commit", "-qm", "one")
    git(bare, "tag", "1.0.0")
    said = oak(url=str(bare), code=9).err
    assert "contrib/rigger/" in said and "rigger platform new" in said
    rigger(
        "configure",
        "--no-input",
        "--path",
        str(bare),
        "--platform",
        "noop",
        "--provider",
        "noop",
        "--name",
        "x",
    )
    assert vars_of(rigger, "x")["NOOP_ROOT"] == str(bare)


@pytest.mark.slow
def test_nothing_of_it_runs_before_somebody_agreed(rigger, repository, tmp_path):
    mark = tmp_path / "ran"
    repository.write(
        "rigger/rigger.yml",
        PLATFORM.replace("questions:\n", "questions:\n  - {name: A, default: a, check: look}\n"),
    )
    repository.write("rigger/look", f"#!/bin/sh\ntouch {mark}\n")
    repository.release("v2.0.0")
    words = ["configure", "--no-input", "--repository", repository.url, "--provider", "soil"]
    said = rigger(*words, code=2).err
    assert "--trust" in said and not mark.exists()
    rigger(*words, "--trust")
    assert mark.exists()
    changed = repository.release("v2.1.0", **{"rigger/deploy": SAYS + "# other\n"})
    said = rigger(*words, "--name", "b", "--version", "2.1.0", code=2)
    assert changed in said.out + said.err and "changed rigger/deploy" in said.out


@pytest.mark.slow
def test_another_version_in_a_checkout_that_is_there(rigger, oak):
    oak("--version", "1.9.0")
    said = oak("--version", "1.10.0").out
    assert "is at v1.10.0" in said and vars_of(rigger)["VERSION"] == "v1.10.0"
    assert open(os.path.join(checkout_of(rigger), "release")).read() == "v1.10.0\n"
    assert [record["version"] for record in events(rigger, "checked-out")] == ["v1.9.0", "v1.10.0"]
    with open(os.path.join(checkout_of(rigger), "release"), "w") as file:
        file.write("mine\n")
    said = oak("--version", "1.9.0").out
    assert "is not changed" in said and "rigger checkout" in said
    assert open(os.path.join(checkout_of(rigger), "release")).read() == "mine\n"
    assert not os.path.exists(rigger.path("drafts", "oak.checkout"))


@pytest.mark.slow
def test_an_existing_environment_needs_no_network(rigger, repository, oak):
    oak("--version", "1.9.0")
    shutil.rmtree(repository.folder)
    rigger("configure", "--no-input", "--set", "COLOUR=red")
    assert vars_of(rigger)["COLOUR"] == "red" and vars_of(rigger)["VERSION"] == "v1.9.0"
    rigger("provision")
    rigger("check")


# Interfaces


@pytest.mark.slow
def test_a_version_that_speaks_no_known_interface(rigger, repository, oak):
    repository.write(
        "rigger/rigger.yml", PLATFORM + 'interfaces: {1: 1.5.0, 2: 1.10.0, 7: "3.0"}\nrigger: "9.1"\n'
    )
    for tag in ("1.2.0", "1.10.1-rc.1", "v3.0.0"):
        repository.release(tag)
    said = oak("--version", "1.2.0", code=9).err
    assert "oak 1.2.0 speaks no interface that this rigger knows; 1.5.0 and later speak interface 1" in said
    said = oak("--version", "3.0.0", code=9).err
    assert "speaks interface 7" in said and "rigger 9.1 knows it" in said
    oak("--version", "1.10.1-rc.1")


# A contributor


@pytest.mark.slow
def test_what_changed_is_what_runs_again(rigger, oak):
    oak("--ref", "next")
    rigger("provision")
    folder = checkout_of(rigger)
    assert planned(rigger) == []

    def append(name, text):
        with open(os.path.join(folder, name), "a") as file:
            file.write(text)

    append("release", "some source\n")
    os.makedirs(os.path.join(folder, "rigger", "build"))
    append("rigger/build/program", "binary\n")
    append("rigger/built", "a file that git does not know\n")
    assert planned(rigger) == []
    append("rigger/deploy", "echo more\n")
    assert planned(rigger) == ["oak deploy"]
    said = rigger("provision").out
    assert "with work of your own" in said and "-dirty" in said and planned(rigger) == []
    assert events(rigger, "run-started")[-1]["dirty"] is True
    append("rigger/rigger.yml", "")
    with open(os.path.join(folder, "rigger/rigger.yml"), "w") as file:
        file.write(PLATFORM.replace("green", "red").replace("dark", "light"))
    assert planned(rigger) == ["oak deploy"]
    append("rigger/lib/common.sh", "# more\n")
    assert planned(rigger) == ["oak install", "oak deploy"]
    rigger("provision")
    append("contrib/soil/create", "echo more\n")
    assert planned(rigger) == ["soil create", "oak install", "oak deploy"]


@pytest.mark.slow
def test_a_checkout_at_another_commit_is_not_provisioned(rigger, repository, oak):
    oak("--version", "1.9.0")
    git(checkout_of(rigger), "fetch", "-q", repository.url, "refs/tags/v1.10.0:refs/tags/v1.10.0")
    git(checkout_of(rigger), "checkout", "-q", "v1.10.0")
    said = rigger("provision", code=4).err
    assert "v1.9.0 is configured" in said and "rigger checkout" in said
    git(checkout_of(rigger), "switch", "-qc", "mine")
    git(checkout_of(rigger), "commit", "-qm", "mine", "--allow-empty")
    assert "with work of your own" in rigger("provision").out


@pytest.mark.slow
def test_a_version_that_was_set_has_to_be_checked_out(rigger, oak):
    oak("--version", "1.9.0")
    assert (
        "Next:\n    rigger checkout\n  Then:\n    rigger provision\n"
        in rigger("config", "set", "VERSION=1.10.0").out
    )
    assert vars_of(rigger)["OAK_VERSION"] == "v1.10.0"
    said = rigger("provision", code=4).err
    assert "v1.10.0 is configured" in said and "rigger checkout" in said
    rigger("checkout", "--update", "--trust")
    rigger("provision")
    for bad in ("VERSION=7", "REF=nothing"):
        assert "has no" in rigger("config", "set", bad, code=2).err
    rigger("config", "set", "REF=next")
    assert "next (v1.10.0) is configured" in rigger("provision", code=3).err
    assert "next is configured" in rigger("provision", "--allow-version-change", code=4).err
    rigger("config", "set", "VERSION=1.10.0")
    assert "REF" not in vars_of(rigger)


@pytest.mark.slow
def test_a_checkout_that_went_away_comes_back(rigger, repository, oak):
    oak("--ref", "next")
    before = git(checkout_of(rigger), "rev-parse", "HEAD")
    git(repository.folder, "checkout", "-q", "next")
    repository.commit("the branch moved", moved="yes\n")
    shutil.rmtree(checkout_of(rigger))
    said = rigger("status", code=None)
    assert "rigger checkout" in said.err or said.code == 0
    said = rigger("provision").out
    assert "is missing; cloning" in said and git(checkout_of(rigger), "rev-parse", "HEAD") == before


# Upgrades


@pytest.mark.slow
def test_an_upgrade_across_tags_in_a_shallow_clone(rigger, repository, oak):
    oak("--version", "1.9.0")
    rigger("provision")
    folder = checkout_of(rigger)
    assert git(folder, "rev-parse", "--is-shallow-repository") == "true"
    repository.release("v1.12.0", **{"rigger/upgrade-graceful": SAYS + 'echo "the new script"\n'})
    assert "has no version '1.13.0'" in rigger("upgrade", "--version", "1.13.0", code=2).err
    said = rigger("upgrade", "--version", "1.12.0", code=2)
    assert "--trust" in said.err and vars_of(rigger)["VERSION"] == "v1.9.0"
    assert git(folder, "describe", "--tags") == "v1.9.0"
    said = rigger("upgrade", "--version", "1.12.0", "--trust", "-v").out
    assert "the new script" in said and "Checked out v1.12.0" in said
    found = vars_of(rigger)
    assert (
        found["VERSION"] == found["OAK_VERSION"] == "v1.12.0"
        and git(folder, "describe", "--tags") == "v1.12.0"
    )
    assert events(rigger, "checked-out")[-1]["before"] == git(
        repository.folder, "rev-parse", "v1.9.0^{commit}"
    )
    assert planned(rigger) == []
    rigger("provision")


@pytest.mark.slow
def test_an_upgrade_across_tags_that_have_a_name(rigger, repository, oak):
    for tag in ("oak/v2.0.0", "lily/v9.0.0"):
        repository.release(tag)
    for tag in git(repository.folder, "tag").split():
        if not tag.startswith(("oak", "lily")):
            git(repository.folder, "tag", "-d", tag)
    oak()
    assert vars_of(rigger)["VERSION"] == "oak/v2.0.0"
    rigger("provision")
    repository.release("oak/v2.1.0")
    assert "is the newest" not in rigger("upgrade", "--version", "2.1.0", "--trust").err
    assert vars_of(rigger)["VERSION"] == "oak/v2.1.0"
    assert git(checkout_of(rigger), "describe", "--tags").strip() == "oak/v2.1.0"
    rigger("check")


@pytest.mark.slow
def test_an_upgrade_that_failed_goes_back_to_the_old_commit(rigger, repository, oak):
    oak("--version", "1.9.0")
    rigger("provision")
    repository.release("v1.12.0", **{"rigger/upgrade-graceful": '#!/bin/sh\n[ "$OAK_VERSION" = v1.9.0 ]\n'})
    rigger("upgrade", "--version", "1.12.0", "--trust", code=5)
    assert git(checkout_of(rigger), "describe", "--tags") == "v1.12.0"
    shutil.rmtree(repository.folder)
    rigger("upgrade", "--continue", code=5)
    rigger("upgrade", "--rollback")
    assert (
        git(checkout_of(rigger), "describe", "--tags") == "v1.9.0" and vars_of(rigger)["VERSION"] == "v1.9.0"
    )


@pytest.mark.slow
def test_an_upgrade_leaves_local_changes_alone(rigger, repository, oak):
    oak("--version", "1.9.0")
    rigger("provision")
    with open(os.path.join(checkout_of(rigger), "release"), "w") as file:
        file.write("mine\n")
    said = rigger("upgrade", "--version", "1.10.0", "--trust", code=4).err
    assert "local changes" in said and vars_of(rigger)["VERSION"] == "v1.9.0"
    assert rigger("history").out.count("upgrade") == 0


# On a terminal


@pytest.fixture
def talk(rigger, repository):
    def start(*words, **options):
        return Conversation(rigger, "--repository", repository.url, *words, **options)

    return start


@pytest.mark.slow
def test_the_wizard_asks_for_a_release(rigger, talk):
    conversation = talk("--provider", "soil").goes(
        ("Where should the platform come from?", ENTER),
        ("the newest", ""),
        ("1.10.0-rc.1", ""),
        ("a release candidate", ""),
        ("v1.9.0", DOWN + ENTER),
        ("May they run", "y"),
        ("Is this right?", ENTER),
    )
    conversation.ends(0)
    assert vars_of(rigger)["VERSION"] == "1.10.0-rc.1"


@pytest.mark.slow
def test_the_wizard_asks_for_a_branch_and_again_for_one_that_is_not_there(rigger, talk):
    conversation = talk("--provider", "soil").goes(
        ("Where should the platform come from?", DOWN + ENTER),
        ("Which branch, tag or commit", "nxet" + ENTER),
        ("did you mean next?", "\x15next" + ENTER),
        ("May they run", "y"),
        ("Is this right?", ENTER),
    )
    conversation.ends(0)
    assert vars_of(rigger)["REF"] == "next"


@pytest.mark.slow
def test_the_wizard_asks_for_a_folder_of_a_platform_in_a_repository(rigger, repository, modules):
    modules.write("platform", "oak", "repository: https://localhost/oak.git\nversions: git-tags\n")
    conversation = Conversation(rigger, "--platform", "oak", "--provider", "soil").goes(
        ("Where should oak come from?", DOWN + DOWN + ENTER),
        ("In which folder", repository.folder + ENTER),
        ("Is this right?", ENTER),
    )
    conversation.ends(0)
    assert vars_of(rigger).get("OAK_ROOT") == repository.folder, (vars_of(rigger), conversation.heard)


@pytest.mark.slow
def test_a_no_changes_nothing_and_the_clone_is_used_again(rigger, talk):
    conversation = talk("--provider", "soil", "--version", "1.9.0")
    conversation.goes(("May they run", "n")).ends(10)
    assert not os.path.exists(rigger.path("environments", "oak"))
    (clone,) = os.listdir(rigger.path("drafts", "etcd.checkout"))
    number = os.stat(rigger.path("drafts", "etcd.checkout", clone)).st_ino
    conversation = talk("--provider", "soil", "--version", "1.9.0")
    heard = conversation.goes(("May they run", "y"), ("Is this right?", ENTER)).ends(0)
    assert b"Cloning" not in heard and os.stat(checkout_of(rigger)).st_ino == number
    assert os.listdir(rigger.path("drafts")) == []


@pytest.mark.slow
def test_ctrl_c_after_the_clone_keeps_the_answers(rigger, talk, repository):
    repository.write("rigger/rigger.yml", PLATFORM + "types: {small: {}, large: {}}\n")
    repository.release("v2.0.0")
    conversation = talk("--provider", "soil").goes(
        ("Where should the platform come from?", ENTER),
        ("Which version of the platform?", ENTER),
        ("May they run", "y"),
        ("Which type of cluster?", CTRL_C),
    )
    conversation.ends(130)
    conversation = talk("--provider", "soil").goes(
        ("Resume with the answers", ENTER), ("Which type of cluster?", ENTER), ("Is this right?", ENTER)
    )
    assert b"Cloning" not in conversation.ends(0)
    assert vars_of(rigger)["VERSION"] == "v2.0.0"


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--version", "1.9.0"], ["--ref", "next"]])
def test_an_unreachable_repository_is_said_and_another_or_a_folder_will_do(
    rigger, repository, modules, tmp_path, words
):
    modules.write("platform", "oak", f"repository: file://{tmp_path}/nowhere\nversions: git-tags\n")
    conversation = Conversation(rigger, "--platform", "oak", "--provider", "soil", *words).goes(
        ("Where should oak come from?", ENTER) if not words else ("", ""),
        ("nowhere cannot be reached", ""),
        ("Where should oak come from?", ENTER),
        ("From which git repository?", f"\x15{tmp_path}/nor-here" + ENTER),
        ("nor-here cannot be reached", f"\x15{repository.url}" + ENTER),
        *((("Which version of oak?", ENTER),) if not words else ()),
        ("May they run", "y"),
        ("Is this right?", ENTER),
    )
    conversation.ends(0)
    assert vars_of(rigger)["REPOSITORY"] == repository.url
    shutil.rmtree(rigger.path("environments"))
    Conversation(rigger, "--platform", "oak", "--provider", "soil", *words).goes(
        ("Where should oak come from?", ENTER) if not words else ("", ""),
        ("nowhere cannot be reached", ""),
        ("Where should oak come from?", DOWN * (1 if words[:1] == ["--ref"] else 2) + ENTER),
        ("In which folder", repository.folder + ENTER),
        ("Is this right?", ENTER),
    ).ends(0)
    assert vars_of(rigger)["CHECKOUT"] == repository.folder


# Which modules are found


def test_modules_of_the_checkout_come_first(rigger, modules, oak):
    modules.write("provider", "soil", "description: the other one\n")
    oak("--version", "1.9.0")
    report = json.loads(rigger("provision", "--plan", "-o", "json").out)
    assert {os.path.dirname(step["script"]) for step in report["steps"]} == {
        os.path.join(checkout_of(rigger), "contrib", "soil"),
        os.path.join(checkout_of(rigger), "rigger"),
    }


# On another machine


@pytest.fixture
def elsewhere(rigger, tmp_path):
    """Load a bundle in a home of its own."""

    def load(bundle, *words, code=0):
        env = {"RIGGER_HOME": str(tmp_path / "elsewhere")}
        return rigger("configure", "--file", bundle, "--no-input", *words, code=code, env=env)

    load.home = str(tmp_path / "elsewhere")
    load.env = {"RIGGER_HOME": load.home}
    load.file = lambda *parts: os.path.join(load.home, "environments", "oak", *parts)
    return load


@pytest.mark.slow
def test_a_bundle_brings_the_checkout_along_and_is_upgraded(rigger, repository, oak, elsewhere, tmp_path):
    oak("--version", "1.9.0")
    rigger("provision")
    bundle = str(tmp_path / "oak.rigger")
    repository.release("v1.12.0")
    away = repository.folder + ".away"
    os.rename(repository.folder, away)  # nothing may ask for it
    rigger("save", "-o", bundle, "--with-checkout")
    said = elsewhere(bundle, code=2)
    assert (
        "--trust" in said.err
        and "checkout/contrib/soil/create" in said.out
        and not os.path.exists(elsewhere.file())
    )
    elsewhere(bundle, "--trust")
    found = envfile.read(elsewhere.file("vars"))
    assert found["OAK_ROOT"] == elsewhere.file("checkout") and found["REPOSITORY"] == repository.url
    assert (found["PLATFORM"], found["PROVIDER"]) == ("oak", "soil")
    assert f"in {elsewhere.file('checkout')}" in rigger("check", "-v", env=elsewhere.env).out
    rigger("provision", env=elsewhere.env)
    os.rename(away, repository.folder)
    rigger("upgrade", "--version", "1.12.0", "--trust", env=elsewhere.env)
    assert git(elsewhere.file("checkout"), "describe", "--tags") == "v1.12.0"


@pytest.mark.slow
def test_a_bundle_without_the_checkout_clones_it(rigger, repository, oak, elsewhere, tmp_path):
    oak("--version", "1.9.0")
    rigger("provision")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "-o", bundle)
    elsewhere(bundle, "--trust")
    rigger("check", env=elsewhere.env)
    assert "rigger checkout" in rigger("provision", env=elsewhere.env, code=2).err
    rigger("checkout", "--trust", env=elsewhere.env)
    rigger("provision", env=elsewhere.env)
    report = json.loads(rigger("provision", "--plan", "--again", "-o", "json", env=elsewhere.env).out)
    assert all(step["script"].startswith(elsewhere.file("checkout")) for step in report["steps"])


@pytest.mark.slow
def test_an_upgrade_clones_what_did_not_come_along(rigger, repository, oak, elsewhere, tmp_path):
    oak("--version", "1.9.0")
    rigger("provision")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "-o", bundle)
    repository.release("v1.12.0")
    assert "did not come along.\n  Clone it:\n    rigger checkout\n" in elsewhere(bundle, "--trust").out
    said = rigger("upgrade", "--version", "1.12.0", env=elsewhere.env, code=2).err
    assert "--trust" in said and not os.path.exists(elsewhere.file("checkout"))
    assert "unfinished" not in rigger("status", env=elsewhere.env).out
    plan = ("upgrade", "--version", "1.12.0", "--plan")
    assert "--trust" in rigger(*plan, env=elsewhere.env, code=2).err  # it is made of what is cloned
    assert "v1.9.0 to v1.12.0" in rigger(*plan, "--trust", env=elsewhere.env).out
    said = rigger("upgrade", "--version", "1.12.0", "--trust", "-v", env=elsewhere.env).out
    assert f"{elsewhere.file('checkout')}/rigger/upgrade-graceful of v1.12.0" in said
    assert git(elsewhere.file("checkout"), "describe", "--tags") == "v1.12.0"


@pytest.mark.slow
def test_commits_in_a_bundle_are_nobodys_own_work(rigger, repository, oak, elsewhere, tmp_path):
    oak("--ref", "next")
    folder = checkout_of(rigger)
    with open(os.path.join(folder, "contrib/soil/create"), "a") as file:
        file.write("echo evil\n")
    git(folder, "commit", "-qam", "looks like work of one's own")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "-o", bundle, "--with-checkout")
    os.makedirs(elsewhere.home)
    shutil.copy(rigger.path("repositories.json"), elsewhere.home)
    assert "--trust" in elsewhere(bundle, code=2).err


@pytest.mark.slow
def test_somebodys_own_folder_is_not_used_because_a_bundle_names_it(rigger, repository, elsewhere, tmp_path):
    rigger("configure", "--no-input", "--name", "oak", "--path", repository.folder, "--provider", "soil")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "-o", bundle, "--with-checkout")
    elsewhere(bundle, "--trust")
    found = envfile.read(elsewhere.file("vars"))
    assert found["OAK_ROOT"] == found["CHECKOUT"] == elsewhere.file("checkout")
    rigger("provision", env=elsewhere.env)


def test_a_script_that_cannot_run_is_named_when_it_is_chosen(rigger, repository, oak):
    os.chmod(os.path.join(repository.folder, "contrib/soil/create"), 0o644)
    repository.release("v1.12.0")
    said = oak().out
    assert "contrib/soil/create is not executable" in said


@pytest.mark.slow
def test_a_no_to_what_was_typed_ends_the_conversation(rigger, talk):
    talk("--provider", "soil").goes(
        ("Where should the platform come from?", ENTER),
        ("Which version of the platform?", ENTER),
        ("May they run", "n"),
    ).ends(10)
    assert not os.path.exists(rigger.path("environments", "oak"))


@pytest.mark.slow
def test_ctrl_c_during_the_clone_leaves_nothing_half_made(rigger, talk, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    real = shutil.which("git")
    slow = programs / "git"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *" fetch "*) : >{tmp_path}/begun; exec sleep 60 ;; esac\nexec {real} "$@"\n'
    )
    slow.chmod(0o755)
    conversation = talk("--provider", "soil", "--version", "1.9.0", PATH=f"{programs}:{os.environ['PATH']}")
    conversation.sees("Cloning v1.9.0")
    wait_for(lambda: (tmp_path / "begun").exists())
    conversation.types(CTRL_C).ends(130)
    assert not os.path.exists(rigger.path("environments", "oak"))
    assert os.listdir(rigger.path("drafts", "etcd.checkout")) == []
    talk("--provider", "soil", "--version", "1.9.0").goes(
        ("May they run", "y"), ("Is this right?", ENTER)
    ).ends(0)
    assert vars_of(rigger)["VERSION"] == "v1.9.0" and os.listdir(rigger.path("drafts")) == []


@pytest.mark.slow
def test_vars_that_are_lost_come_back_with_the_repository(rigger, repository, oak):
    oak("--version", "1.9.0")
    rigger("provision")
    before = vars_of(rigger)
    open(rigger.path("environments", "oak", "vars"), "w").close()
    rigger("provision", code=3)
    rigger("configure", "--defaults")
    after = vars_of(rigger)
    names = ("PLATFORM", "PROVIDER", "REPOSITORY", "VERSION", "OAK_ID", "OAK_ROOT", "OAK_VERSION")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert planned(rigger) == []
    rigger("destroy", "-y")
