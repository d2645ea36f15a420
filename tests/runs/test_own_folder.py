"""What scripts of interface 1 write into their own folder belongs to the environment, wherever that folder is."""

import json
import os
import shutil
import signal

import pytest
from conftest import Rigger
from helpers.clusters import wait_for
from helpers.kiln_repository import Kiln
from helpers.repositories import git


@pytest.fixture
def kiln(rigger, tmp_path):
    return Kiln(rigger, tmp_path)


@pytest.fixture
def provisioned(kiln):
    kiln.configure()
    kiln.rigger("provision")
    assert len(kiln.made()) == 1
    return kiln


@pytest.fixture
def elsewhere(kiln, tmp_path):
    """Another machine: a home that knows nothing, and the same world of machines."""
    (tmp_path / "elsewhere").mkdir()
    other = Rigger(str(tmp_path / "elsewhere"), str(tmp_path))
    other.env["RIGGER_HOME"] = other.home
    other.env["MACHINES"] = kiln.machines
    return other


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def read(path):
    with open(path) as file:
        return file.read()


def moved(kiln, elsewhere, *words):
    """Save the environment and load it on the other machine, with a clone of the repository."""
    bundle = os.path.join(kiln.rigger.folder, "a.rigger")
    kiln.rigger("save", "-o", bundle, *words)
    elsewhere("configure", "--no-input", "--trust", "--file", bundle)
    elsewhere("checkout", "--trust")


@pytest.mark.slow
def test_a_new_clone_finds_what_the_scripts_wrote(provisioned):
    assert "Cloned" in provisioned.rigger("checkout", "--clone", "--trust").out
    assert read(provisioned.folder("pots")).split() == provisioned.made()
    provisioned.rigger("destroy", "--yes")
    assert provisioned.made() == []


@pytest.mark.slow
def test_a_new_clone_where_git_does_not_ignore_what_the_scripts_wrote(rigger, tmp_path):
    kiln = Kiln(rigger, tmp_path, ignored="")
    kiln.script("create", ": >pots; mkdir -p deep; date >deep/more\n")
    git(kiln.upstream, "commit", "-qam", "more")
    kiln.configure("--repository", kiln.url, "--ref", "main")
    rigger("provision")
    write(kiln.file("checkout", "contrib", "mine"), "mine\n")
    assert "does not track: contrib/mine." in rigger("checkout", "--clone", "--trust", code=4).err
    os.unlink(kiln.file("checkout", "contrib", "mine"))
    rigger("checkout", "--clone", "--trust")
    assert os.path.exists(kiln.folder("deep", "more"))


@pytest.mark.slow
def test_a_clone_that_was_removed_by_hand(provisioned):
    shutil.rmtree(provisioned.file("checkout"))
    provisioned.rigger("checkout", "--trust")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.made() == []


@pytest.mark.slow
def test_a_state_from_before_rigger_kept_any_survives_the_first_clone(provisioned):
    shutil.rmtree(provisioned.state())
    provisioned.rigger("checkout", "--clone", "--trust")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.made() == []


@pytest.mark.slow
def test_what_a_script_removed_does_not_come_back(kiln):
    kiln.script("create", "mkdir -p deep; date >deep/once; date >pots\n")
    kiln.script("check", "rm -r deep\n")
    git(kiln.upstream, "commit", "-qam", "more")
    kiln.configure("--repository", kiln.url, "--ref", "main")
    kiln.rigger("provision")
    assert os.listdir(kiln.state("own-folder")) == ["pots"]
    kiln.rigger("checkout", "--clone", "--trust")
    assert not os.path.exists(kiln.folder("deep"))


@pytest.mark.slow
@pytest.mark.parametrize("ignored", ["pots\n", ""])
def test_another_machine_has_what_the_scripts_wrote(rigger, tmp_path, elsewhere, ignored):
    kiln = Kiln(rigger, tmp_path / "again", ignored=ignored)
    elsewhere.env["MACHINES"] = kiln.machines
    kiln.configure()
    rigger("provision")
    moved(kiln, elsewhere)
    elsewhere("destroy", "--yes")
    assert kiln.made() == []


@pytest.mark.slow
def test_a_state_with_a_secret_travels_only_with_secrets(provisioned, elsewhere, tmp_path):
    secret = "a-secret-of-the-cloud-0123456789"
    with open(provisioned.folder("create"), "a") as file:
        file.write(f"TOKEN={secret} rigger-save-secrets TOKEN\necho {secret} >token\n")
    provisioned.rigger("provision")
    assert secret in read(provisioned.state("own-folder", "token"))
    git(provisioned.file("checkout"), "checkout", "--", ".")
    bundle = str(tmp_path / "open.rigger")
    said = provisioned.rigger("save", "-o", bundle)
    assert "modules/kiln/own-folder/token" in said.out + said.err
    elsewhere.env["RIGGER_TOKEN"] = secret
    elsewhere("configure", "--no-input", "--trust", "--file", bundle)
    elsewhere("checkout", "--trust")
    said = elsewhere("destroy", "--yes", code=4)
    assert "kept token" in said.err and "own-folder" in said.err
    assert len(provisioned.made()) == 1
    write(elsewhere.path("environments", "a", "modules", "kiln", "own-folder", "token"), "")
    elsewhere("destroy", "--yes")
    assert provisioned.made() == []


@pytest.mark.slow
def test_nothing_is_destroyed_or_made_without_the_state(provisioned):
    shutil.rmtree(provisioned.state())
    os.unlink(provisioned.folder("pots"))
    for verb in ("destroy", "provision"):
        said = provisioned.rigger(verb, *(["--yes"] if verb == "destroy" else []), code=4)
        assert "1 files" in said.err and "say that all is well" in said.err
    assert len(provisioned.made()) == 1
    assert "destroyed" not in provisioned.rigger("status").out


@pytest.mark.slow
def test_a_cluster_that_is_gone_needs_no_state(provisioned):
    provisioned.rigger("destroy", "--yes")
    shutil.rmtree(provisioned.state())
    shutil.rmtree(provisioned.file("checkout"))
    provisioned.rigger("checkout", "--trust")
    provisioned.rigger("destroy", "--yes")


@pytest.mark.slow
def test_a_killed_step_has_what_it_had_written(kiln):
    kiln.configure()
    kiln.rigger.env["KILN_SLEEPS"] = "60"
    process = kiln.rigger.start("provision")
    wait_for(lambda: os.path.exists(f"{kiln.machines}.pid"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    os.killpg(int(read(f"{kiln.machines}.pid")), signal.SIGKILL)
    kiln.rigger.env["KILN_SLEEPS"] = "0"
    kiln.rigger("checkout", "--clone", "--trust")
    kiln.rigger("provision")
    assert len(kiln.made()) == 1
    kiln.rigger("destroy", "--yes")
    assert kiln.made() == []


@pytest.mark.slow
def test_the_number_of_files_is_recorded(provisioned):
    records = [json.loads(line) for line in read(provisioned.file("audit.jsonl")).splitlines()]
    kept = {r["step"]: r.get("kept") for r in records if r["event"] == "step-finished"}
    assert kept["create"] == 1 and kept["deploy"] is None


@pytest.mark.slow
def test_what_somebody_changed_by_hand_counts(provisioned):
    write(provisioned.folder("pots"), "by-hand\n")
    write(os.path.join(provisioned.machines, "by-hand"), "")
    provisioned.rigger("check")
    assert read(provisioned.state("own-folder", "pots")) == "by-hand\n"


@pytest.mark.slow
def test_another_folder_of_the_users_own(provisioned, tmp_path):
    for name in ("mine", "other"):
        git(tmp_path, "clone", "-q", provisioned.url, tmp_path / name)
    write(str(tmp_path / "other" / "contrib" / "kiln" / "pots"), "of somebody else\n")
    for name in ("mine", "other"):
        provisioned.configure("--path", tmp_path / name)
        said = provisioned.rigger("check")
        assert read(tmp_path / name / "contrib" / "kiln" / "pots").split() == provisioned.made()
    assert "is now in" in said.out + said.err
    assert read(provisioned.file("replaced", "kiln", "pots")) == "of somebody else\n"
    provisioned.rigger("destroy", "--yes")
    assert provisioned.made() == []


@pytest.mark.slow
@pytest.mark.parametrize("in_git", [True, False])
def test_two_environments_in_one_folder(kiln, tmp_path, in_git):
    git(tmp_path, "clone", "-q", kiln.url, tmp_path / "mine")
    write(str(tmp_path / "mine" / "contrib" / "kiln" / "credentials"), "mine\n")
    if not in_git:
        shutil.rmtree(tmp_path / "mine" / ".git")
    for number, name in enumerate("ab", 1):
        kiln.configure("--path", tmp_path / "mine", name=name)
        kiln.rigger("-e", name, "provision")
        assert len(kiln.made()) == number
    kiln.rigger("-e", "a", "check")
    kiln.rigger("-e", "b", "destroy", "--yes")
    kiln.rigger("-e", "a", "check")
    assert len(kiln.made()) == 1
    kiln.rigger("-e", "a", "destroy", "--yes")
    assert kiln.made() == []
    assert read(tmp_path / "mine" / "contrib" / "kiln" / "credentials") == "mine\n"


@pytest.mark.slow
def test_scripts_that_came_in_a_bundle_stay_as_they_were_agreed_to(kiln, elsewhere, tmp_path):
    git(tmp_path, "clone", "-q", kiln.url, tmp_path / "mine")
    kiln.configure("--path", tmp_path / "mine")
    kiln.rigger("provision")
    bundle = str(tmp_path / "a.rigger")
    kiln.rigger("save", "-o", bundle)
    elsewhere("configure", "--no-input", "--trust", "--file", bundle)
    elsewhere("check")
    elsewhere("provision")
    assert len(kiln.made()) == 1
    elsewhere("destroy", "--yes")
    assert kiln.made() == []


@pytest.mark.slow
def test_links_do_not_lead_out_of_the_folder(kiln, tmp_path):
    out = tmp_path / "outside"
    out.mkdir()
    kiln.script("create", f"date >pots; ln -sf pots inside; ln -sf {out} abroad; ln -sf ../../release up\n")
    kiln.script("check", "test inside -ef pots\n")
    git(kiln.upstream, "commit", "-qam", "more")
    kiln.configure("--repository", kiln.url, "--ref", "main")
    kiln.rigger("provision")
    assert sorted(os.listdir(kiln.state("own-folder"))) == ["inside", "pots"]
    os.unlink(kiln.folder("pots"))
    write(kiln.state("own-folder", "abroad", "file"), "x")
    said = kiln.rigger("check", code=4)
    assert "leads out of" in said.err and os.listdir(out) == []


@pytest.mark.slow
def test_plugins_stay_on_this_machine(kiln, elsewhere):
    kiln.script(
        "install",
        "mkdir -p .terraform/providers/x; [ -e .terraform/providers/x/plugin ] || date +%N >.terraform/providers/x/plugin\n",
    )
    kiln.script("check", "test -s .terraform/providers/x/plugin\n")
    git(kiln.upstream, "commit", "-qam", "more")
    kiln.configure("--repository", kiln.url, "--ref", "main")
    kiln.rigger("provision")
    plugin = read(kiln.folder(".terraform", "providers", "x", "plugin"))
    kiln.rigger("checkout", "--clone", "--trust")
    assert read(kiln.folder(".terraform", "providers", "x", "plugin")) == plugin
    moved(kiln, elsewhere)
    assert not os.path.exists(
        elsewhere.path("environments", "a", "modules", "kiln", "own-folder", ".terraform")
    )
    elsewhere("destroy", "--yes")
    assert kiln.made() == []


@pytest.mark.slow
def test_files_that_scripts_may_run_are_shown_before_they_are_put_beside_them(
    provisioned, elsewhere, tmp_path
):
    write(provisioned.state("own-folder", "library.tf"), "# whatever\n")
    bundle = str(tmp_path / "a.rigger")
    provisioned.rigger("save", "-o", bundle)
    said = elsewhere("configure", "--no-input", "--file", bundle, code=2)
    assert "modules/kiln/own-folder/library.tf" in said.out + said.err


@pytest.mark.slow
@pytest.mark.parametrize("in_git", [True, False])
def test_a_file_of_the_module_that_a_step_changed(kiln, elsewhere, tmp_path, in_git):
    kiln.write("contrib/kiln/pots", "")  # tracked, as some do it
    git(kiln.upstream, "add", "-fA")
    git(kiln.upstream, "commit", "-qm", "an empty state")
    for name in ("mine", "other"):
        git(tmp_path, "clone", "-q", kiln.url, tmp_path / name)
        if not in_git:
            shutil.rmtree(tmp_path / name / ".git")
    kiln.configure("--path", tmp_path / "mine")
    kiln.rigger("provision")
    assert os.listdir(kiln.state("own-folder")) == ["pots"]
    kiln.configure("--path", tmp_path / "other")
    kiln.rigger("check")
    assert read(tmp_path / "other" / "contrib" / "kiln" / "pots").split() == kiln.made()
    bundle = str(tmp_path / "a.rigger")
    kiln.rigger("save", "-o", bundle)
    elsewhere("configure", "--no-input", "--trust", "--file", bundle)
    elsewhere("check")
    elsewhere("destroy", "--yes")
    assert kiln.made() == []
