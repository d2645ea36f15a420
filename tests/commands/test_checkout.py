"""rigger checkout"""

import json
import os
import signal
import sys

import pexpect
import pytest
from conftest import ROOT
from helpers.clusters import ended, wait_for
from helpers.repositories import Canary, Upstream, git

from rigger.envfile import file as envfile
from rigger.environments.home import Home

MANIFEST = "interface: 2\nname: grove\nrole: platform\n"
SCRIPT = '#!/bin/sh\necho platform/{verb} >>"$NOTED"\n'


class Grove:
    """An environment whose platform lies in a repository, and the repository."""

    def __init__(self, rigger, tmp_path):
        self.rigger = rigger
        self.upstream = Upstream(tmp_path / "upstream")
        files = {verb: SCRIPT.format(verb=verb) for verb in ("install", "deploy", "check", "undeploy")}
        for version in ("2.0.0", "2.1.0"):
            self.upstream.commit(version, **{"rigger.yml": MANIFEST, **files, "contrib/news": version})
            git(self.upstream.folder, "tag", f"v{version}")
        rigger.env["NOTED"] = self.noted = str(tmp_path / "noted")
        self.home = Home(rigger.home)
        self.environment = self.home.create(
            "grove",
            {
                "PLATFORM": "grove",
                "PROVIDER": "noop",
                "REPOSITORY": self.upstream.url,
                "VERSION": "v2.0.0",
                "GROVE_ID": "0123456789",
                "GROVE_VERSION": "v2.0.0",
            },
            {},
        )
        self.home.use("grove")
        self.folder = self.environment.file("checkout")

    def set(self, **values):
        """Change vars as a person with an editor would; None removes one."""
        vars = {**self.environment.vars(), **values}
        self.environment.save({name: value for name, value in vars.items() if value is not None}, {})

    def __call__(self, *words, **options):
        return self.rigger("checkout", *words, **options)

    def json(self, *words) -> dict:
        return json.loads(self("-o", "json", *words).out)

    def records(self) -> list[dict]:
        return [r for r in self.environment.audit.records() if r["event"] == "checked-out"]

    def commit(self, name) -> str:
        return git(self.upstream.folder, "rev-parse", f"{name}^{{commit}}")

    def write(self, name, content="mine\n"):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(content)


@pytest.fixture
def grove(rigger, tmp_path):
    return Grove(rigger, tmp_path)


def test_nothing_there_is_cloned_without_asking(grove):
    said = grove("--trust").out
    assert "Cloning" in said and "Scripts of file://" in said and "v2.0.0-0-g" in said
    commit = grove.commit("v2.0.0")
    record = grove.records()[-1]
    assert record["commit"] == commit and record["before"] == "" and record["folder"] == grove.folder
    assert record["version"] == "v2.0.0" and record["ref"] == ""
    vars = envfile.read(grove.environment.vars_file)
    assert vars["GROVE_ROOT"] == grove.folder and vars["VERSION"] == vars["GROVE_VERSION"] == "v2.0.0"
    again = grove()
    assert "Up to date" in again.out and again.err == "" and len(grove.records()) == 1


def test_without_trust_nothing_appears(grove):
    said = grove(code=2)
    assert "--trust" in said.err and not os.path.exists(grove.folder) and grove.records() == []
    assert "GROVE_ROOT" not in grove.environment.vars()


@pytest.mark.slow
def test_what_exists_and_differs_needs_an_answer(grove):
    grove("--trust")
    grove.set(VERSION="v2.1.0")
    said = grove(code=2).err
    assert "--update" in said and "--clone" in said and "--leave" in said and "not at v2.1.0" in said
    left = grove("--leave").out
    assert "Not changed" in left and "v2.0.0-0-g" in left and len(grove.records()) == 1
    said = grove("--update", code=2)
    assert "Since" in said.out and "agreed to" in said.out and "--trust" in said.err
    assert git(grove.folder, "rev-parse", "HEAD") == grove.commit("v2.0.0")
    report = grove.json("--update", "--trust")
    assert report["done"] == "update" and report["before"] == grove.commit("v2.0.0")
    assert report["commit"] == grove.records()[-1]["commit"] == grove.commit("v2.1.0")
    assert report["describe"].startswith("v2.1.0-0-g") and report["changed"] == report["commits"] == []


def test_two_ways_exclude_each_other(grove):
    assert "--clone and --leave exclude each other" in grove("--clone", "--leave", code=2).err


@pytest.mark.slow
def test_local_work_is_never_lost(grove):
    grove("--trust")
    grove.write("file")
    assert "has local changes: file" in grove(code=2).err
    grove.set(VERSION="v2.1.0")
    for way, words in {"--update": "stash", "--clone": "mv "}.items():
        said = grove(way, "--trust", code=4).err
        assert "file" in said and words in said
    git(grove.folder, "commit", "-qam", "my work")
    assert "my work" in grove("--clone", "--trust", code=4).err
    assert "switch -c NAME" in grove("--update", "--trust", code=4).err
    report = grove.json("--leave")
    assert [line.split(" ", 1)[1] for line in report["commits"]] == ["my work"]
    git(grove.folder, "switch", "-q", "-c", "hacking")
    said = grove("--update", "--trust").out
    assert "your 1 commits are on the branch hacking" in said
    assert git(grove.folder, "log", "-1", "--format=%s", "hacking") == "my work"


@pytest.mark.slow
def test_a_clone_anew_replaces_the_old_one(grove):
    grove("--trust")
    grove.set(VERSION="2.1.0")
    inode = os.stat(grove.folder).st_ino
    grove("--clone", "--trust")
    assert os.stat(grove.folder).st_ino != inode
    assert git(grove.folder, "rev-parse", "HEAD") == grove.commit("v2.1.0")
    assert sorted(os.listdir(grove.environment.path)) == [
        "audit.head",
        "audit.jsonl",
        "checkout",
        "key",
        "lock",
        "vars",
    ]
    assert grove.environment.vars()["VERSION"] == "2.1.0"


def test_a_branch_that_moved_brings_a_new_version(grove):
    grove.set(REF="main", VERSION=None)
    grove("--trust")
    vars = grove.environment.vars()
    assert vars["VERSION"] == vars["GROVE_VERSION"] == f"v2.1.0-0-g{grove.commit('main')[:7]}"
    moved = grove.upstream.commit("moved", moved="yes")
    grove("--update", "--trust")
    assert grove.environment.vars()["VERSION"] == f"v2.1.0-1-g{moved[:7]}"
    assert grove.records()[-1]["ref"] == "main" and grove.records()[-1]["before"] == grove.commit("v2.1.0")
    assert git(grove.folder, "status", "-sb") == "## main...origin/main"


@pytest.mark.slow
def test_a_moved_tag_is_told_and_asked_about(grove):
    grove("--trust")
    before = grove.commit("v2.0.0")
    moved = grove.upstream.commit("another 2.0.0", **{"contrib/soil/create": "#!/bin/sh\ntrap\n"})
    git(grove.upstream.folder, "tag", "-f", "v2.0.0")
    said = grove("--update", code=2)
    assert f"The tag v2.0.0 was moved: it named {before[:12]}" in said.out and moved[:12] in said.out
    assert "changed contrib/soil/create" in said.out and "--trust" in said.err
    assert git(grove.folder, "rev-parse", "HEAD") == before
    grove("--update", "--trust")
    assert grove.records()[-1]["commit"] == moved and "was moved" not in grove().out


@pytest.mark.slow
def test_a_folder_of_ones_own_is_left_alone(grove, tmp_path):
    own = grove.upstream.folder
    grove.set(CHECKOUT=own, VERSION="old", REPOSITORY=None)
    said = grove().out
    described = git(own, "describe", "--long", "--dirty", "--tags", "--always")
    assert "It is your own, and is left alone" in said and described in said
    vars = grove.environment.vars()
    assert vars["VERSION"] == described and vars["GROVE_ROOT"] == own and grove.records() == []
    assert grove.json("--leave")["describe"] == described
    for way in ("--clone", "--update"):
        assert "your own folder" in grove(way, code=2).err
    grove.set(CHECKOUT=str(tmp_path / "gone"))
    assert "There is no folder" in grove(code=4).err


def test_a_platform_that_comes_from_no_repository(grove):
    grove.set(REPOSITORY=None, PLATFORM="noop")
    assert "comes from no repository" in grove(code=3).err


def test_a_release_that_does_not_exist(grove):
    grove.set(VERSION="2.0.1")
    assert "has no release '2.0.1'" in grove(code=2).err and not os.path.exists(grove.folder)


def test_a_repository_that_cannot_be_reached(grove, tmp_path):
    grove("--trust")
    grove.set(REPOSITORY=str(tmp_path / "gone"))
    assert "cannot be reached" in grove("--update", code=4).err


def test_something_else_in_its_place(grove):
    os.mkdir(grove.folder)
    grove.write("precious")
    assert "is no git repository" in grove("--trust", code=4).err
    assert os.listdir(grove.folder) == ["precious"]


def test_a_checkout_that_is_in_use(grove):
    with grove.environment.locked("rigger provision"):
        assert '"rigger provision"' in grove("--trust", code=7).err


@pytest.mark.slow
def test_a_person_is_asked(grove):
    talk = conversation(grove, "checkout")
    talk.expect("May they run on this machine, as you")
    talk.send("n\r")
    talk.expect(pexpect.EOF)
    talk.close()
    assert talk.exitstatus == 10 and not os.path.exists(grove.folder) and grove.records() == []
    talk = conversation(grove, "checkout")
    talk.expect("May they run on this machine, as you")
    talk.send("y\r")
    talk.expect("Cloned:")
    talk.expect(pexpect.EOF)
    grove.set(VERSION="v2.1.0")
    talk = conversation(grove, "checkout")
    talk.expect("What should become of it")
    talk.expect("refused where work is in the way")
    talk.send("\r")  # update, as nothing would be lost
    talk.expect("May they run on this machine, as you")
    talk.send("y\r")
    talk.expect("Updated:")
    talk.expect(pexpect.EOF)
    grove.write("file")
    grove.set(VERSION="v2.0.0")
    talk = conversation(grove, "checkout")
    talk.expect("has local changes: file")
    talk.expect("What should become of it")
    talk.send("\r")  # leave, as something could be
    talk.expect("Not changed")
    talk.expect(pexpect.EOF)


def conversation(grove, *words):
    env = {**grove.rigger.env, "PROMPT_TOOLKIT_NO_CPR": "1"}
    return pexpect.spawn(
        sys.executable, ["-m", "rigger", *words], env=env, cwd=ROOT, timeout=20, encoding="utf-8"
    )


@pytest.mark.slow
def test_scripts_run_only_at_a_commit_that_was_agreed_to(grove):
    grove("--trust")
    grove.rigger("provision")
    theirs = grove.upstream.commit("theirs", theirs="yes")
    git(grove.folder, "fetch", "-q", "origin")
    git(grove.folder, "checkout", "-q", theirs)
    os.unlink(grove.noted)
    said = grove.rigger("check", code=2).err
    assert "changed since" in said and '"rigger checkout"' in said and not os.path.exists(grove.noted)
    assert "Nobody has agreed" in grove("--leave").out
    grove("--leave", "--trust")
    grove.rigger("check")


def test_ctrl_c_while_it_clones(grove, stuck_git):
    grove.rigger.env["PATH"] = stuck_git.path
    rigger = grove.rigger.start("checkout", "--trust")
    wait_for(lambda: os.path.exists(stuck_git.begun))
    rigger.send_signal(signal.SIGINT)
    code, said = ended(rigger)
    assert code == 130 and "Interrupted" in said and grove.records() == []
    assert [name for name in os.listdir(grove.environment.path) if "checkout" in name] == []


@pytest.fixture
def stuck_git(tmp_path):
    """A git that never ends a fetch, for one that has a slow server."""
    import shutil
    from types import SimpleNamespace

    folder, begun = tmp_path / "stuck", str(tmp_path / "begun")
    os.mkdir(folder)
    with open(folder / "git", "w") as file:
        file.write(
            f'#!/bin/sh\ncase "$*" in *" fetch "*) : >{begun}; exec sleep 60 ;; esac\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
    os.chmod(folder / "git", 0o755)
    return SimpleNamespace(path=f"{folder}:{os.environ['PATH']}", begun=begun)


@pytest.mark.parametrize("name", ["REPOSITORY", "REF", "VERSION"])
def test_hostile_vars_are_refused_and_run_nothing(grove, tmp_path, name):
    canary = Canary(str(tmp_path))
    for value in (
        f"ext::{canary.program}",
        f"--upload-pack={canary.program}",
        f"ssh://-oProxyCommand={canary.program}/x",
    ):
        grove.set(**{"REF": None, name: value})
        assert grove("--trust", code=None).code in (3, 9)
    assert canary.ran() == "" and not os.path.exists(grove.folder)
