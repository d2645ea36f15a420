"""rigger destroy"""

import json
import os
import shutil
import sys

import pexpect
import pytest
from helpers.clusters import MAKE_NODES, Cluster
from helpers.run_records import open_log

from rigger.audit.lines import OWN_MEMBERS
from rigger.envfile import file as envfile


@pytest.mark.slow
def test_everything_goes_and_the_record_stays(provisioned):
    said = provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]
    assert "machine node-1 (10.0.0.1) and all data on it" in said.out
    assert "wood is destroyed" in said.out and "rigger forget wood" in said.out
    assert provisioned.nodes() == []
    assert provisioned.records()[-1]["event"] == "destroyed"
    assert "destroyed" in provisioned.rigger("status").out
    assert "destroy" in provisioned.rigger("history").out


def test_without_a_terminal_it_needs_yes(provisioned):
    refused = provisioned.rigger("destroy", code=2)
    assert "--yes" in refused.err and "Nothing was changed" in refused.err
    assert "machine node-1" in refused.out
    assert provisioned.ran() == []


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code"), [("wood", 0), ("wod", 10)])
def test_the_name_is_asked_for(provisioned, typed, code):
    argv = [*provisioned.rigger.argv[1:], "destroy"]
    child = pexpect.spawn(
        sys.executable,
        argv,
        env=provisioned.rigger.env,
        cwd=provisioned.rigger.folder,
        encoding="utf-8",
        timeout=20,
    )
    child.expect("Type wood to destroy it")
    child.sendline(typed)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert bool(provisioned.ran()) == (code == 0)


@pytest.mark.slow
def test_twice(provisioned):
    provisioned.rigger("destroy", "--yes")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy", "provider/destroy"]


@pytest.mark.slow
def test_what_a_failed_create_made_half(cluster):
    cluster.script("provider", "create", MAKE_NODES + "exit 1")
    cluster.rigger("provision", code=5)
    cluster.ran()
    said = cluster.rigger("destroy", "--yes")
    assert "machine node-2" in said.out
    assert cluster.ran() == ["provider/destroy"]
    assert cluster.nodes() == []


@pytest.mark.slow
def test_leftovers_are_listed(provisioned):
    provisioned.script(
        "provider", "destroy", "rigger-leftover a disk with spaces\nrigger-leftover 'an address'"
    )
    failed = provisioned.rigger("destroy", "--yes", code=5)
    assert "wood is not destroyed completely" in failed.err
    assert "  a disk with spaces\n  an address" in failed.err
    assert "LEFTOVERS" not in provisioned.content("vars")
    assert json.loads(provisioned.rigger("history", "-o", "json").out)["runs"][-1]["outcome"] == "failed"
    assert "destroyed" not in [record["event"] for record in provisioned.records()]
    assert (
        "destroy" in provisioned.rigger("status").out
        and "deployed since" not in provisioned.rigger("status").out
    )
    report = json.loads(provisioned.rigger("destroy", "--yes", "-o", "json", code=5).out)
    assert report["leftovers"] == ["a disk with spaces", "an address"]
    provisioned.rigger("forget", "wood", "--yes", code=2)
    provisioned.script("provider", "destroy")
    provisioned.rigger("destroy", "--yes")
    provisioned.rigger("forget", "wood", "--yes")


@pytest.mark.slow
def test_a_destroy_that_fails_keeps_the_inventory(provisioned):
    provisioned.script("provider", "destroy", "exit 6")
    failed = provisioned.rigger("destroy", "--yes", code=5)
    assert "providers/soil/destroy exited 6" in failed.err
    assert "machine node-1 (10.0.0.1)" in failed.err
    assert provisioned.nodes() == ["node-1", "node-2"]


@pytest.mark.slow
def test_a_platform_that_cannot_be_taken_off_does_not_keep_the_machines(provisioned):
    provisioned.script("platform", "undeploy", "exit 6")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]


def test_a_missing_script_stops_it_before_anything_goes(provisioned):
    os.unlink(os.path.join(provisioned.folders["provider"], "destroy"))
    assert "destroy is missing" in provisioned.rigger("destroy", "--yes", code=4).err
    assert provisioned.ran() == []


# A vars file that means another cluster


def put(cluster, name, value):
    """Change a value in the vars file as an editor does, or take its line out."""
    lines = cluster.content("vars").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"export {name}=")]
    assert len(kept) == len(lines) - 1
    with open(cluster.file("vars"), "w") as file:
        file.write("".join([*kept, *([f'export {name}="{value}"\n'] if value is not None else [])]))


def other_modules(cluster):
    for role, name in (("provider", "sand"), ("platform", "bush")):
        folder = cluster.modules.write(role, name, "" if role == "provider" else "versions: [1.9.0, 1.10.0]")
        for verb in ("create", "destroy") if role == "provider" else ("deploy", "undeploy"):
            cluster.modules.script(folder, verb, f'echo {name}/{verb} >>"$NOTED"\n')


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("destroy", "-y"),
        ("provision", "-y"),
        ("provision", "--plan"),
        ("check",),
        ("test", "smoke"),
        ("upgrade", "--version", "1.10.0"),
        ("suspend", "-y"),
        ("save",),
        ("ssh", "node-1", "--", "true"),
    ],
    ids=" ".join,
)
def test_another_id_is_refused_by_whatever_runs_steps(provisioned, command):
    id = vars_of(provisioned)["TREE_ID"]
    put(provisioned, "TREE_ID", "0123456789")
    refused = provisioned.rigger(*command, code=3).err
    assert f'{provisioned.file("vars")} says TREE_ID="0123456789"' in refused
    assert f'was made with TREE_ID="{id}"' in refused and f'export TREE_ID="{id}" (' in refused
    assert provisioned.ran() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "other", "right"), [("PROVIDER", "sand", "soil"), ("PLATFORM", "bush", "tree")]
)
def test_another_module_is_refused_and_may_be_put_back(provisioned, name, other, right):
    other_modules(provisioned)
    id = vars_of(provisioned)["TREE_ID"]
    put(provisioned, name, other)
    for command in ("provision", "destroy"):
        refused = provisioned.rigger(command, "-y", code=3).err
        assert f'says {name}="{other}", but wood exists and was made with {name}="{right}"' in refused
    assert f'was made with {name}="{right}"' in provisioned.rigger("status").out
    assert "was made with" in provisioned.rigger("configure", "--no-input", code=3).err
    provisioned.rigger("config", "set", f"{name}={right}")
    assert vars_of(provisioned)["TREE_ID"] == id and provisioned.ran() == []
    provisioned.rigger("destroy", "-y")
    assert provisioned.ran()[-1] == "provider/destroy"


def test_who_has_only_looked_has_made_nothing(cluster):
    cluster.script("provider", "plan", "echo two machines")
    other_modules(cluster)
    assert "two machines" in cluster.rigger("provision", "--plan").out
    cluster.rigger("config", "set", "PROVIDER=sand")
    cluster.rigger("provision", "-y")
    assert "sand/create" in cluster.ran()


@pytest.mark.slow
def test_no_id_is_refused_and_configure_puts_it_back(provisioned):
    id = vars_of(provisioned)["TREE_ID"]
    put(provisioned, "TREE_ID", None)
    refused = provisioned.rigger("destroy", "-y", code=3).err
    assert f'vars does not say TREE_ID, but wood exists and was made with TREE_ID="{id}"' in refused
    assert f'Put the line back into {provisioned.file("vars")}: export TREE_ID="{id}"' in refused
    assert f"TREE_ID={id}" in provisioned.rigger("configure", "--no-input").out
    provisioned.rigger("destroy", "-y")
    assert vars_of(provisioned)["TREE_ID"] == id


@pytest.mark.slow
def test_once_nothing_exists_the_vars_may_mean_anything(provisioned):
    provisioned.rigger("destroy", "-y")
    other_modules(provisioned)
    provisioned.ran()
    put(provisioned, "PROVIDER", "sand")
    put(provisioned, "TREE_ID", "0123456789")
    provisioned.rigger("provision", "-y")
    assert "sand/create" in provisioned.ran()


@pytest.mark.slow
def test_an_older_record_without_an_id_refuses_nothing(provisioned):
    forget_ids(provisioned)
    provisioned.rigger("provision", "-y")
    put(provisioned, "TREE_ID", "0123456789")  # from now on it is recorded
    provisioned.rigger("destroy", "-y", code=3)


def forget_ids(cluster):
    """Write the audit log as a rigger that recorded no ID did."""
    records = cluster.records()
    for name in ("audit.jsonl", "audit.head"):
        os.unlink(cluster.file(name))
    log = open_log(cluster.file("audit.jsonl"))
    for record in records:
        fields = {n: v for n, v in record.items() if n not in (*OWN_MEMBERS, "id")}
        log.append(record["event"], record["run"], **fields)


def vars_of(cluster) -> dict[str, str]:
    return envfile.read(cluster.file("vars"))


@pytest.mark.slow
def test_a_home_that_moved_and_an_environment_with_another_name_are_the_same_cluster(
    rigger, modules, private_home
):
    cluster = Cluster(rigger, modules)
    moving = private_home / "here" / "soil"
    shutil.copytree(cluster.folders["provider"], moving)
    home = {"RIGGER_HOME": str(private_home / "here" / "rigger")}
    cluster.configure("--provider", moving, env=home)
    rigger("provision", "-y", env=home)
    os.rename(private_home / "here", private_home / "there")
    home = {"RIGGER_HOME": str(private_home / "there" / "rigger")}
    environments = private_home / "there" / "rigger" / "environments"
    os.rename(environments / "wood", environments / "forest")
    vars = (environments / "forest" / "vars").read_text().replace("/here/", "/there/")
    (environments / "forest" / "vars").write_text(vars)
    cluster.ran()
    rigger("-e", "forest", "provision", "-y", env=home)
    assert "provider/create" not in cluster.ran()
    rigger("-e", "forest", "destroy", "-y", env=home)
    assert cluster.ran()[-1] == "provider/destroy"


@pytest.mark.parametrize("name", ["runs", "bin"])
def test_a_folder_that_cannot_be_made_keeps_nothing_that_costs_money(provisioned, name, tmp_path):
    shutil.rmtree(provisioned.file(name))
    open(provisioned.file(name), "w").close()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    said = provisioned.rigger("destroy", "--yes", env={"TMPDIR": str(temporary)})
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]
    assert "wood is destroyed" in said.out
    if name == "runs":
        [kept] = temporary.iterdir()
        assert (
            f"{provisioned.file('runs')} cannot be made: File exists: what the scripts say is kept in {kept}."
            in said.out
        )
        assert {"02-destroy.log", "plan.json"} <= {path.name for path in kept.iterdir()}
    os.unlink(provisioned.file(name))
    assert "unbroken" in provisioned.rigger("audit").out


@pytest.mark.slow
def test_many_nodes_that_are_silent_are_waited_for_once_and_together(cluster, tmp_path):
    cluster.script("provider", "create", f"NODES=40\n{MAKE_NODES}")
    cluster.rigger("provision", "-y")
    waits = tmp_path / "waits"
    cluster.modules.script(
        cluster.folders["provider"],
        "exec",
        f"echo begins >>{waits}; sleep 8; echo ends >>{waits}; exit 254\n",
    )
    said = cluster.rigger("destroy", "--yes")
    assert "node-40" in said.out and "did not answer" in said.out and "wood is destroyed" in said.out
    assert waits.read_text().split() == ["begins"] * 40 + ["ends"] * 40
