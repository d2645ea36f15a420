"""An add-on that is an image: rigger's commands on it, with podman and images of busybox."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from helpers import images
from helpers.addons import Machines
from helpers.second_machine import elsewhere

NAME = f"localhost/rigger-test-clay:{os.getpid()}"
SCRIPT = """\
case $1 in
plan) grep -q fired "$RIGGER_STATE_DIR/kiln" 2>/dev/null && exit 0
    echo "clay would be fired at $HEAT"; exit 8;;
apply)
    echo "fires at $HEAT, with $TOKEN, argument $2, level $LEVEL"
    echo fired >"$RIGGER_STATE_DIR/kiln"; echo kept >/kept/file
    if touch "$RIGGER_STATE" 2>/dev/null; then echo "the state can be written"; exit 9; fi
    echo "{\\"heat\\": $HEAT}" >"$RIGGER_STATE_OUTPUT"
    echo "GLAZE=blue" >>"$RIGGER_OUTPUT"
    [ ! -e "$RIGGER_STATE_DIR/slow" ] || { echo waiting; trap 'exit 130' INT; sleep 60 & wait; };;
audit) grep -q fired "$RIGGER_STATE_DIR/kiln" || { echo "the kiln is cold"; exit 8; };;
check) exit ${CODE:-0};;
destroy) rm "$RIGGER_STATE_DIR/kiln";;
esac
"""
MANIFEST = """\
version: 1.0
labels: {{kind: oven}}
provides: [heat]
questions:
  - {{name: HEAT, type: integer, default: 900}}
  - {{name: TOKEN, type: secret}}
  - {{name: CODE, default: "0"}}
container:
  image: {image}
{digest}
  mounts: [/kept]
  commands:
    - {{name: plan}}
    - {{name: apply, args: ["{{{{ HEAT }}}}"], envs: {{LEVEL: "warn {{{{ HEAT }}}}"}}}}
    - {{name: audit}}
    - {{name: check}}
    - {{name: destroy}}
"""


pytestmark = pytest.mark.slow  # each starts containers


def write(machines, image=NAME, digest=""):
    """Write the add-on: it has no scripts."""
    folder = machines.addon(
        "clay", MANIFEST.format(image=image, digest=f"  digest: {digest}" if digest else "")
    )
    for verb in ("apply", "destroy"):
        os.unlink(os.path.join(folder, verb))


@pytest.fixture
def machines(rigger, modules, image):
    rigger.env["RIGGER_CONTAINER_ARGUMENTS"] = images.arguments()
    rigger.env["RIGGER_CLAY_TOKEN"] = "s3cret-token"
    machines = Machines(rigger, modules)
    write(machines, digest=image)
    rigger("provision")
    rigger("module", "add", "clay", "--no-input")
    return machines


def running(machines):
    return images.podman("ps", "--quiet", "--filter", "label=rigger.module=clay").split()


def test_an_image_is_planned_applied_looked_at_and_removed(machines):
    rigger = machines.rigger
    said = rigger("provision", "clay")
    assert "clay would be fired at 900" in said.out
    assert "argument 900, level warn 900" in said.out
    assert "s3cret-token" not in said.out and "with ***" in said.out
    state = machines.state()["modules"]["clay"]
    assert (state["status"], state["output"]) == ("applied", {"heat": 900})
    assert 'CLAY_GLAZE="blue"' in machines.vars()
    assert machines.exists("modules", "clay", "mounts", "kept", "file")
    assert ("clay", "apply") in machines.ran()
    before = machines.ran().count(("clay", "apply"))
    rigger("provision", "clay")
    assert machines.ran().count(("clay", "apply")) == before  # its plan exits 0

    rigger("audit", "clay")
    os.unlink(machines.path("modules", "clay", "kiln"))
    assert "the kiln is cold" in rigger("audit", "clay", code=8).out
    rigger("provision", "clay", "--again")
    rigger("module", "remove", "clay", "-y")
    assert not machines.exists("modules", "clay", "kiln")
    assert not machines.exists("modules", "state.json")


def test_exit_codes_pass(machines):
    machines.rigger("config", "set", "CLAY_CODE=37")
    assert "exited 37" in machines.rigger("provision", "clay", code=5).err


def test_another_image_under_the_name_is_refused_before_anything_is_done(machines):
    write(machines, digest=f"sha256:{'1' * 64}")
    before = machines.ran()
    said = machines.rigger("provision", "clay", code=4).err
    assert f"The image {NAME} is not the one that clay names" in said and "sha256:1111" in said
    assert machines.ran() == before


def test_an_image_that_is_not_here_is_named_with_the_way_to_get_it(machines):
    write(machines, "localhost/nowhere:1")
    before = machines.ran()
    said = machines.rigger("provision", "clay", code=4).err
    assert "The image localhost/nowhere:1, which clay runs, is not on this machine" in said
    assert "podman pull localhost/nowhere:1" in said and machines.ran() == before


def test_without_podman_and_docker_one_sentence_says_so(machines, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in ("/usr/local/bin", "/usr/bin", "/bin"):
        for name in os.listdir(folder):
            if name not in ("podman", "docker") and not os.path.lexists(programs / name):
                (programs / name).symlink_to(os.path.join(folder, name))
    said = machines.rigger("provision", "clay", code=4, env={"PATH": str(programs)}).err
    assert "Neither podman nor docker is on PATH, and clay is an image" in said


def begun(machines, process):
    """Wait until the apply is at work in its container."""
    for _ in range(300):
        assert process.poll() is None
        if any("waiting" in open(log, errors="replace").read() for log in logs(machines)):
            return
        time.sleep(0.1)
    raise AssertionError("the apply did not begin")


def logs(machines):
    for folder, _, names in os.walk(machines.path("runs")):
        yield from (os.path.join(folder, name) for name in names if name.endswith("-apply.log"))


@pytest.fixture
def slow(machines):
    os.makedirs(machines.path("modules", "clay"), exist_ok=True)
    open(machines.path("modules", "clay", "slow"), "w").close()
    process = machines.rigger.start("provision", "clay")
    begun(machines, process)
    yield process
    process.kill()
    process.wait()


def test_ctrl_c_stops_the_container(machines, slow):
    assert running(machines)
    slow.send_signal(signal.SIGINT)
    assert slow.wait(30) == 130
    assert not running(machines)


def test_a_second_ctrl_c_stops_a_container_that_is_deaf(machines, slow):
    (container,) = running(machines)
    images.podman("kill", "--signal", "STOP", container)
    slow.send_signal(signal.SIGINT)
    time.sleep(1)
    slow.send_signal(signal.SIGINT)
    assert slow.wait(60) == 130
    assert not running(machines)


def test_what_a_killed_command_left_running_is_stopped_and_the_next_apply_goes_on(machines, slow):
    (container,) = running(machines)
    for pid in of_run(slow.pid):
        os.kill(pid, signal.SIGKILL)
    slow.wait()
    assert running(machines) == [container]
    assert machines.state()["modules"]["clay"]["status"] == "failed"
    os.unlink(machines.path("modules", "clay", "slow"))
    machines.rigger("provision", "clay")
    assert machines.state()["modules"]["clay"]["status"] == "applied"
    assert not running(machines)


def of_run(pid):
    """Return a process and its children, those of the container's own monitor apart."""
    found = [pid]
    for parent in found:
        said = subprocess.run(["pgrep", "--parent", str(parent)], capture_output=True, text=True).stdout
        found += [int(child) for child in said.split() if name(child) != "conmon"]
    return found


def name(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


@pytest.mark.slow
def test_a_bundle_carries_it_and_it_goes_on_elsewhere(machines, tmp_path):
    machines.rigger("provision", "clay")
    bundle = tmp_path / "clay.rigger"
    machines.rigger("save", "--file", bundle)
    other = elsewhere(machines.rigger, tmp_path)
    shutil.rmtree(machines.modules.folder)
    other("configure", "--file", bundle, "--no-input", "--trust")
    other("audit", "clay")
    other("module", "remove", "clay", "-y", "--take-over")
    assert not os.path.exists(other.path("environments", "bare", "modules", "clay", "kiln"))
