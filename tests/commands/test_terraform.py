"""rigger terraform, and the other commands with a provider that is a folder of .tf files."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pexpect
import pytest
from conftest import ROOT
from helpers.clusters import ended, wait_for
from helpers.processes import below, name_of
from helpers.programs_started import programs_started
from helpers.second_machine import contents, elsewhere, save
from helpers.terraform_provider import MAIN, MANIFEST, StateServer, instances, needs_terraform

from rigger import __version__

pytestmark = needs_terraform


class Pots:
    """The provider `clay`, the platform `noop` and the environment `pots`."""

    def __init__(self, rigger, modules):
        self.rigger = rigger
        self.path = rigger.path("environments", "pots")
        self.folder = os.path.join(modules.folder, "providers", "clay")
        os.makedirs(self.folder)
        self.write("rigger.yml", MANIFEST)
        self.write("main.tf", MAIN)
        rigger.env["CHECKPOINT_DISABLE"] = "1"

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def configure(self, **values):
        words = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        chosen = ("--name", "pots", "--provider", "clay", "--platform", "noop")
        return self.rigger("configure", "--no-input", *chosen, *words)

    def set(self, **values):
        return self.rigger("config", "set", *(f"{name}={value}" for name, value in values.items()))

    def file(self, *parts):
        return os.path.join(self.path, "modules", "clay", *parts)

    def state(self):
        with open(self.file("terraform.tfstate")) as file:
            return json.load(file)

    def made(self):
        return [i for r in self.state()["resources"] if r["name"] == "node" for i in r["instances"]]

    def nodes(self):
        with open(os.path.join(self.path, "inventory.json")) as file:
            return [node["name"] for node in json.load(file)]

    def journal(self):
        try:
            with open(self.file("last-apply.jsonl")) as file:
                return file.read()
        except OSError:
            return ""

    def started(self, *words):
        """Start a provision and return it as soon as its apply is at work on something slow."""
        process = self.rigger.start("provision", *words)
        wait_for(lambda: "provision_start" in self.journal(), 60)
        return process

    def stand_in(self, body, name="terraform"):
        folder = os.path.join(self.rigger.folder, "programs")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w") as file:
            file.write("#!/bin/bash\n" + body)
        os.chmod(file.name, 0o755)
        noted = os.path.join(self.rigger.folder, "noted")
        path = f"{folder}:{os.environ['PATH']}"
        self.rigger.env.update(REAL=shutil.which("terraform"), NOTED=noted, PATH=path)
        return noted


@pytest.fixture
def pots(rigger, modules):
    return Pots(rigger, modules)


@pytest.fixture
def states():
    server = StateServer()
    yield server
    server.stop()


def text(said):
    return said.out + said.err


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


@pytest.mark.slow
def test_the_life_of_a_cluster(pots):
    pots.configure(TOKEN="sesame-4711", GREETING="two\nlines ${x}")
    said = pots.rigger("provision", "-v")
    assert "2 of 2: terraform_data.node[" in text(said) and pots.nodes() == ["node-1", "node-2"]
    assert pots.rigger("config", "get", "GREETING_BACK").out == "two\nlines ${x}\n"
    assert 'PASS="open-sesame-4711"' in read(os.path.join(pots.path, "secrets"))

    again = pots.rigger("provision")
    assert "up to date: clay install, clay create" in text(again)
    assert pots.rigger("terraform", "state", "rm", "terraform_data.node[1]").code == 0
    drift = pots.rigger("audit", code=8)
    assert "# terraform_data.node[1] will be created" in text(drift)
    assert "Something differs" in text(pots.rigger("check", "-v", code=5))
    pots.set(NODES=1)
    pots.rigger("provision", "--yes")
    assert pots.nodes() == ["node-1"] and len(pots.made()) == 1

    seen = text(pots.rigger("destroy", "--yes", "-v")) + text(pots.rigger("logs")) + text(said) + text(drift)
    for folder, _, names in os.walk(os.path.join(pots.path, "runs")):
        seen += "".join(read(os.path.join(folder, name)) for name in names)
    assert pots.made() == [] and "(sensitive value)" in seen
    assert "sesame-4711" not in seen and "***" in seen


@pytest.mark.slow
def test_nothing_but_terraform_is_started_for_the_steps_of_rigger(pots):
    """No Python and no shell: rigger's own steps are done by copies of it. The platform noop has three scripts."""
    pots.configure(NODES=0)  # nobody asks machines that there are none of
    scripts = [("install", ""), ("deploy", ""), ("check", "")]

    def terraform(*words):
        return [("terraform", word) for word in words]

    first = programs_started(pots.rigger, "provision")
    assert first == [*terraform("version", "init", "plan", "apply"), *scripts]
    assert programs_started(pots.rigger, "provision", "--again") == [*terraform("plan"), *scripts]
    assert programs_started(pots.rigger, "provision") == [*terraform("plan"), scripts[-1]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "recorded", ["", "from rigger.modules import scripts; scripts.step_digest = scripts.digest_of_file"]
)
def test_the_steps_of_rigger_count_with_its_version(pots, recorded):
    """A newer rigger may do something else in them; also where an older one recorded their first lines alone."""

    def why():
        report = json.loads(pots.rigger("provision", "--plan", "-o", "json").out)
        return {step["step"]: step["why"] for step in report["steps"] if step["module"] == "provider/clay"}

    def start_with(line):
        folder = os.path.join(pots.rigger.folder, "start")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "sitecustomize.py"), "w") as file:
            file.write(f"import rigger\n{line}\n")
        pots.rigger.env["PYTHONPATH"] = f"{folder}:{ROOT}"

    pots.configure(NODES=1)
    start_with(recorded)
    pots.rigger("provision")
    start_with("")
    assert "create" not in why()
    start_with("rigger.__version__ = '99.0.0'")
    updated = f"rigger was updated from {__version__} to 99.0.0"
    assert {verb: why()[verb] for verb in ("install", "create")} == {"install": updated, "create": updated}
    pots.rigger("provision")
    assert "create" not in why()


@pytest.mark.slow
def test_what_would_change_is_shown_first(pots):
    pots.configure(NODES=1)
    said = pots.rigger("provision", "--plan", "--exit-code", code=8)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in text(said)
    assert "Only shown; nothing was done." in said.out and not os.path.exists(pots.file("terraform.tfstate"))
    report = json.loads(pots.rigger("provision", "--plan", "-o", "json").out)
    assert [step["step"] for step in report["steps"]][:2] == ["install", "create"]
    child = pexpect.spawn(
        pots.rigger.argv[0], [*pots.rigger.argv[1:], "provision", "--plan"], env=pots.rigger.env, timeout=60
    )
    child.expect("Plan: 1 to add")
    child.expect("Only shown; nothing was done.")
    child.expect(pexpect.EOF)
    child.close()
    pots.write("main.tf", "nonsense")
    assert "could not be shown" in text(pots.rigger("provision", "--plan"))


@pytest.mark.slow
def test_a_terminal_sees_how_far_it_is(pots):
    pots.configure(NODES=2, SLOWLY=1)
    hook = {
        "resource": {"addr": "terraform_data.gone"},
        "action": "create",
        "id_key": "id",
        "id_value": "i-7",
    }
    os.makedirs(pots.file(), exist_ok=True)
    with open(pots.file("last-apply.jsonl"), "w") as file:
        json.dump({"type": "apply_complete", "hook": hook}, file)
    child = pexpect.spawn(
        pots.rigger.argv[0],
        [*pots.rigger.argv[1:], "provision"],
        env=pots.rigger.env,
        dimensions=(24, 200),
        timeout=60,
    )
    child.expect("2 of 4: terraform_data.ready")
    child.expect("clay create  .*done")
    child.expect("! terraform_data.gone was made with id=i-7, and the state does not know it")
    child.expect("pots is as configured")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.slow
def test_what_the_shell_holds_changes_nothing(pots):
    pots.configure()
    hostile = {"TF_VAR_nodes": "7", "TF_CLI_ARGS_plan": "-destroy", "TF_WORKSPACE": "other"}
    pots.rigger("provision", env=hostile)
    assert pots.nodes() == ["node-1", "node-2"]
    assert "Workspace" not in pots.rigger("terraform", "workspace", "list", env=hostile).err


@pytest.mark.slow
def test_an_older_state_is_refused(pots):
    pots.configure()
    pots.rigger("provision")
    found = {**pots.state(), "serial": 0}
    with open(pots.file("terraform.tfstate"), "w") as file:
        json.dump(found, file)
    said = pots.rigger("provision", "--again", "-v", code=5)
    assert "has serial 0, but the cloud has been told up to" in text(said)
    assert "has serial 0" in pots.rigger("terraform", "plan", code=9).err
    assert pots.state() == found


# Ctrl-C and kill


@pytest.mark.slow
def test_ctrl_c_reaches_terraform_exactly_once(pots):
    """A stand-in for Terraform counts the signals of an apply; for the rest it runs the real one."""
    noted = pots.stand_in(
        """
        [ "$1" = apply ] || exec "$REAL" "$@"
        count=0
        trap 'count=$((count + 1)); echo "INT $count" >>"$NOTED"' INT
        echo begun >>"$NOTED"
        for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done
        exit 1
        """
    )
    pots.configure()
    process = pots.rigger.start("provision")
    wait_for(lambda: os.path.exists(noted) and "begun" in read(noted), 60)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert read(noted).split("\n") == ["begun", "INT 1", ""]


@pytest.mark.slow
def test_ctrl_c_lets_a_real_apply_save_its_state(pots):
    pots.configure(NODES=2, SLOWLY=1)
    process = pots.started("-v")
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and "Two interrupts received" not in said
    assert not os.path.exists(pots.file(".terraform.tfstate.lock.info")) and not pots.journal()
    assert len(pots.made()) == 2
    pots.set(SLOWLY=0)
    assert "warning" not in text(pots.rigger("provision", "-v"))
    assert len(pots.made()) == 2


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it(pots):
    pots.configure(NODES=1, SLOWLY=30)
    process = pots.started()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    pots.set(SLOWLY=0)
    # What Terraform was making when it was killed may exist, and nothing but a person can tell.
    if (said := pots.rigger("destroy", "--yes", code=None)).code:
        assert said.code == 5 and "was being made" in said.out + said.err, said
        pots.rigger("leftovers", "--all-gone", "--yes")
        pots.rigger("destroy", "--yes", code=None)
    assert pots.made() == []


def kill_in_the_middle(pots, whom, after):
    """Kill rigger, all of it, or Terraform alone while it is at work; then see that nothing is forgotten."""
    process = pots.started("-v")
    time.sleep(after)
    family = below(process.pid)
    meant = {"rigger": [], "all": family, "terraform": [p for p in family if name_of(p) == "terraform"]}[whom]
    for pid in meant if whom == "terraform" else [process.pid, *meant]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    ended(process)
    wait_for(lambda: not any(name_of(pid) == "terraform" for pid in family), 60)
    made = [
        json.loads(line)["hook"]["id_value"]
        for line in pots.journal().splitlines()
        if '"apply_complete"' in line and line.endswith("}")
    ]
    pots.set(SLOWLY=0)
    told = text(pots.rigger("provision", "-v", "--again", "--yes"))
    known = json.dumps(pots.state()) + told
    assert all(id in known for id in made)
    assert pots.nodes() == [f"node-{n}" for n in (1, 2, 3)] and len(pots.made()) == 3
    pots.rigger("check")
    # What was being made when it was killed may exist or not: it is named until somebody has looked.
    if pots.rigger("destroy", "--yes", code=None).code:
        pots.rigger("leftovers", "--all-gone", "--yes")
        pots.rigger("destroy", "--yes")
    assert pots.state()["resources"] == [] and not pots.journal()
    return len(made)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["all", pytest.param("rigger", marks=pytest.mark.heavy)])
def test_after_a_kill_nothing_is_forgotten(pots, whom):
    pots.configure(NODES=3, SLOWLY="0.4")
    kill_in_the_middle(pots, whom, 0.2)


@pytest.mark.heavy
def test_after_kills_at_random_moments_nothing_is_forgotten(pots):
    pots.configure(NODES=3)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for number in range(20):
        pots.set(SLOWLY=f"0.{chance.randrange(1, 9)}")
        whom = ("all", "rigger", "terraform")[number % 3]
        print(
            f"seed {seed}, kill {number} of {whom}: {kill_in_the_middle(pots, whom, chance.uniform(0, 0.9))} made"
        )


# Elsewhere


SECRET = {"RIGGER_PASSPHRASE": "open sesame", "RIGGER_PASS": "open-none"}


@pytest.mark.slow
def test_a_bundle_carries_the_state(pots, tmp_path):
    pots.write("main.tf", MAIN.partition('output "pass"')[0])
    pots.configure(NODES=2)
    pots.rigger("provision")
    before = pots.state()
    path = save(pots.rigger, tmp_path)
    names = [name for name in contents(path) if name.startswith("modules/")]
    assert "modules/clay/terraform.tfstate" in names
    assert not [name for name in names if ".terraform/" in name or "providers/" in name or "plan" in name]
    other = elsewhere(pots.rigger, tmp_path)
    other("configure", "--file", path, "--no-input", "--trust", env=SECRET)
    there = other.path("environments", "pots", "modules", "clay", "terraform.tfstate")
    assert json.loads(read(there)) == before
    other("check")
    other("destroy", "--yes")
    assert instances(json.loads(read(there))) == []


@pytest.mark.slow
def test_a_state_with_a_secret_is_not_forgotten(pots, tmp_path):
    """A bundle without secrets cannot carry it: elsewhere, nothing is made a second time."""
    pots.configure(NODES=1)
    pots.rigger("provision")
    other = elsewhere(pots.rigger, tmp_path)
    path = save(pots.rigger, tmp_path)
    other("configure", "--file", path, "--no-input", "--trust", env=SECRET)
    said = other("provision", "--again", "-v", code=5)
    assert "The state that knows the machines" in text(said) and "--with-secrets" in text(said)
    assert "is not here" in text(other("check", "-v", code=5))
    path = save(pots.rigger, tmp_path, "--with-secrets", name="with.rigger", env=SECRET)
    other("configure", "--file", path, "--no-input", "--trust", "--allow-older", env=SECRET)
    other("check")
    other("destroy", "--yes")


@pytest.mark.slow
def test_a_shared_backend_needs_but_a_bundle_elsewhere(pots, states, tmp_path):
    pots.configure(NODES=2)
    pots.rigger("provision")
    pots.set(**states.settings)
    assert 'Type "rigger terraform migrate"' in text(pots.rigger("provision", "--again", "-v", code=5))
    said = pots.rigger("terraform", "migrate").out
    assert "moved from this environment's folder to the http backend" in said
    path = save(pots.rigger, tmp_path)
    other = elsewhere(pots.rigger, tmp_path)
    other("configure", "--file", path, "--no-input", "--trust", env=SECRET)
    other("check")
    states.server.held = json.dumps({"ID": "0815", "Who": "ada@far"}).encode()
    assert "The state is locked by" in text(other("check", "-v", code=5))
    assert "There is no terminal to ask on" in other("terraform", "unlock", code=2).err and states.server.held
    assert "The lock is released." in other("terraform", "unlock", "--yes").out and not states.server.held
    assert "Nobody holds the state's lock." in other("terraform", "unlock", "--yes").out
    other("destroy", "--yes")
    assert instances(states.state()) == []


# rigger terraform


def in_a_terminal(pots, *words):
    return pexpect.spawn(
        pots.rigger.argv[0],
        [*pots.rigger.argv[1:], "terraform", *words],
        env=pots.rigger.env,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.slow
def test_terraform_in_a_terminal(pots):
    pots.configure(NODES=1, TOKEN="sesame-4711")
    pots.rigger("provision")
    child = in_a_terminal(pots, "console")
    child.expect("> ")
    child.sendline("var.greeting")
    child.expect('"hello"')
    child.sendline("terraform_data.node[0].input.name")
    child.expect('"node-1"')
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0

    child = in_a_terminal(pots, "destroy")
    child.expect("Enter a value:")
    child.sendline("no")
    child.expect("Destroy cancelled")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1 and len(pots.made()) == 1


@pytest.mark.slow
def test_a_command_of_terraforms_own(pots):
    pots.configure(NODES=2, TOKEN="sesame-4711")
    assert "Terraform v" in pots.rigger("terraform", "version").out
    assert not os.path.exists(pots.file("backend.json"))  # nothing was initialised for that
    pots.rigger("provision")
    assert pots.rigger("terraform", "state", "list").out.split() == [
        "terraform_data.node[0]",
        "terraform_data.node[1]",
    ]
    assert "<sensitive>" in pots.rigger("terraform", "output").out
    serial = pots.state()["serial"]
    tainted = pots.rigger("terraform", "taint", "terraform_data.node[0]")
    assert "did not answer" in tainted.err and "did not answer" not in tainted.out
    assert pots.state()["serial"] > serial
    assert os.path.exists(pots.file("backups", f"terraform.tfstate.{serial:06d}"))
    assert pots.rigger("terraform", "plan", "-detailed-exitcode", code=2)
    pots.rigger("terraform", "state", "rm", "terraform_data.node[1]")
    pots.rigger("terraform", "import", "terraform_data.node[1]", "mine")
    assert "mine" in [i["attributes"]["id"] for i in pots.made()]
    assert pots.rigger("terraform", "bogus", code=1)
    assert "Which command of Terraform?" in pots.rigger("terraform", code=2).err


def test_a_provider_without_tf_files_has_no_terraform(rigger):
    rigger("configure", "--no-input", "--platform", "noop", "--provider", "noop")
    assert "is no Terraform provider" in rigger("terraform", "plan", code=2).err


LOADED = (
    "import sys; from rigger.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
)


def test_other_providers_do_not_load_it(rigger):
    rigger("configure", "--no-input", "--platform", "noop", "--provider", "noop")
    for command in ("provision", "status", "check"):
        argv = [sys.executable, "-c", LOADED, command]
        done = subprocess.run(argv, env=rigger.env, cwd=rigger.folder, capture_output=True, text=True)
        loaded = done.stderr.split()
        assert "rigger.modules.model" in loaded
        assert not {"hcl2", "python_terraform", "rigger.terraform.runner", "rigger.terraform.workspace"} & {
            *loaded
        }


def test_a_module_beside_the_folder_that_is_not_there_is_named_when_it_is_configured(rigger, modules):
    pots = Pots(rigger, modules)
    pots.write("shared.tf", 'module "shared" { source = "../../shared" }\n')
    words = ["configure", "--no-input", "--name", "pots", "--provider", "clay", "--platform", "noop"]
    said = rigger(*words, code=3).err
    assert 'shared.tf, line 1: the module "../../shared" is not at' in said
    os.mkdir(os.path.join(pots.folder, "../../shared"))
    with open(os.path.join(pots.folder, "../../shared/main.tf"), "w"):
        pass
    rigger(*words)
