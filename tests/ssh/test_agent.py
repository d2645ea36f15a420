"""The ssh agent of a run: the user's own or one that ends with it, with real keys and a real ssh-agent."""

import json
import os
import signal
import subprocess
import sys
import time

import pexpect
import pytest
from helpers.clusters import wait_for

from rigger.ssh import keys as ssh_keys

PLATFORM = """
questions:
  - {name: KEY, ask: Which key?, type: ssh-key, make: ed25519}
ssh-agent: [KEY]
"""
# Says which keys the agent of a step has, and whether it is rigger's.
LOOK = 'ssh-add -l >"$TRACE/keys" 2>&1 || echo "exit $?" >>"$TRACE/keys"; echo "$SSH_AUTH_SOCK" >"$TRACE/socket"\n'


def agents(home) -> set[int]:
    """Return the ssh agents that were started by somebody with that home."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if not file.read().startswith(b"ssh-agent\0"):
                    continue
            with open(f"/proc/{name}/environ", "rb") as file:
                if b"\0HOME=" + os.fsencode(home) + b"\0" in b"\0" + file.read():
                    found.add(int(name))
        except OSError:
            continue
    return found


@pytest.fixture
def keyed(rigger, modules, private_home, tmp_path):
    """An environment whose platform wants an agent, and a trace of what its steps saw."""
    trace = tmp_path / "trace"
    trace.mkdir()
    rigger.env.pop("SSH_AUTH_SOCK", None)
    rigger.env["TRACE"] = str(trace)
    rigger.trace = trace
    rigger.modules = modules
    rigger.keys = private_home / ".ssh"
    modules.write("platform", "guarded", PLATFORM, deploy=LOOK)
    before = agents(private_home)
    yield rigger
    assert agents(private_home) <= before, "an ssh agent was left behind"


def key(rigger, name="id", passphrase="", kind="ed25519"):
    rigger.keys.mkdir(mode=0o700, exist_ok=True)
    path = str(rigger.keys / name)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path], check=True)
    return path


def configure(rigger, *more):
    return rigger(
        "configure", "--no-input", "--name", "e", "--platform", "guarded", "--provider", "noop", *more
    )


def seen(rigger) -> str:
    return (rigger.trace / "keys").read_text()


def listed(socket) -> str:
    done = subprocess.run(
        ["ssh-add", "-l"], env={**os.environ, "SSH_AUTH_SOCK": socket}, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def own_agent(tmp_path):
    """An agent that a user has."""
    socket = str(tmp_path / "own")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(socket))
    yield socket
    agent.terminate()
    agent.wait()


def test_where_there_is_no_agent_one_serves_the_key_and_ends_with_the_run(keyed):
    path = key(keyed)
    configure(keyed)
    said = keyed("provision")
    assert "Started an ssh agent for this run." in said.out
    assert "(ED25519)" in seen(keyed) and " id " in seen(keyed)
    socket = (keyed.trace / "socket").read_text().strip()
    assert not os.path.exists(socket) and not os.path.exists(os.path.dirname(socket))
    assert not os.path.exists(keyed.path("environments", "e", "agent"))
    text = open(keyed.path("environments", "e", "vars")).read()
    assert "SSH_AUTH_SOCK" not in text and f'export KEY="{path}"' in text


def test_a_report_for_programs_stays_one(keyed):
    key(keyed)
    configure(keyed)
    assert json.loads(keyed("provision", "-o", "json").out)["steps"][-1]["good"]


def test_a_dead_socket_counts_as_no_agent(keyed, tmp_path):
    key(keyed)
    configure(keyed)
    said = keyed("provision", env={"SSH_AUTH_SOCK": str(tmp_path / "gone")})
    assert "Started an ssh agent" in said.out
    assert "(ED25519)" in seen(keyed)


def test_the_users_agent_gets_the_key_and_loses_it_again(keyed, own_agent):
    key(keyed)
    configure(keyed)
    said = keyed("provision", env={"SSH_AUTH_SOCK": own_agent})
    assert "Started an ssh agent" not in said.out
    assert " id " in seen(keyed)
    assert (keyed.trace / "socket").read_text().strip() == own_agent
    assert " id " not in listed(own_agent)


@pytest.mark.slow
def test_a_key_that_the_users_agent_had_stays_there(keyed, own_agent):
    path = key(keyed, passphrase="open sesame")
    unlocked = key(keyed, "other")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", path], check=True)
    subprocess.run(
        ["ssh-add", "-q", path, unlocked], env={**os.environ, "SSH_AUTH_SOCK": own_agent}, check=True
    )
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", path], check=True)
    configure(keyed)
    keyed("provision", env={"SSH_AUTH_SOCK": own_agent})
    assert " id " in listed(own_agent) and " other " in listed(own_agent)


def test_the_agent_ends_also_when_a_step_fails(keyed):
    key(keyed)
    keyed.modules.write("platform", "guarded", PLATFORM, deploy=LOOK + "exit 3\n")
    configure(keyed)
    keyed("provision", code=5)
    assert "(ED25519)" in seen(keyed)


def test_the_agent_ends_also_on_ctrl_c(keyed):
    key(keyed)
    keyed.modules.write("platform", "guarded", PLATFORM, deploy=LOOK + "exec sleep 60\n")
    configure(keyed)
    running = keyed.start("provision")
    wait_for(lambda: (keyed.trace / "socket").exists())
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    running.stdout.close()


@pytest.mark.parametrize("whose", ["rigger's", "the user's"])
def test_what_a_killed_run_left_is_cleared_by_the_next_one(keyed, own_agent, whose):
    key(keyed)
    env = {"SSH_AUTH_SOCK": own_agent} if whose == "the user's" else {}
    hangs = LOOK + 'echo $$ >"$TRACE/pid"; exec sleep 60\n'
    keyed.modules.write("platform", "guarded", PLATFORM, deploy=hangs)
    configure(keyed)
    running = keyed.start("provision", env=env)
    wait_for(lambda: (keyed.trace / "pid").exists() and (keyed.trace / "pid").read_text().strip())
    running.kill()
    running.wait()
    running.stdout.close()
    os.kill(int((keyed.trace / "pid").read_text()), signal.SIGKILL)
    left = json.load(open(keyed.path("environments", "e", "agent")))
    if whose == "the user's":
        assert left["added"] and " id " in listed(own_agent)
    else:
        assert left["pid"] in agents(os.environ["HOME"])
    keyed.modules.write("platform", "guarded", PLATFORM, deploy=LOOK)
    wait_for(lambda: keyed("provision", env=env, code=None).code == 0)
    assert left["pid"] not in agents(os.environ["HOME"])
    assert " id " not in listed(own_agent)
    assert not os.path.exists(os.path.dirname(left["socket"])) or whose == "the user's"


def test_a_passphrase_that_nobody_can_type_stops_before_anything_starts(keyed):
    path = key(keyed, passphrase="open sesame")
    configure(keyed)
    said = keyed("provision", code=4)
    assert f"{path} has a passphrase, and there is no terminal to type it on" in said.err
    assert f"ssh-add {path}" in said.err
    assert not (keyed.trace / "keys").exists()


def test_a_passphrase_is_asked_for_on_the_terminal_before_the_first_step(keyed):
    key(keyed, passphrase="open sesame")
    configure(keyed)
    child = pexpect.spawn(
        sys.executable, ["-m", "rigger", "provision"], env=keyed.env, cwd=keyed.folder, timeout=30
    )
    child.expect("Enter passphrase for .*/id")
    assert not (keyed.trace / "keys").exists()
    child.sendline("open sesame")
    child.expect("is as configured")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and "(ED25519)" in seen(keyed)


def test_ctrl_c_at_the_passphrase_starts_nothing(keyed):
    key(keyed, passphrase="open sesame")
    configure(keyed)
    child = pexpect.spawn(
        sys.executable, ["-m", "rigger", "provision"], env=keyed.env, cwd=keyed.folder, timeout=30,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    child.expect("Enter passphrase for .*/id")
    child.sendintr()
    while child.expect(["nothing was started", pexpect.TIMEOUT], timeout=2):
        child.sendintr()  # ssh-add does not notice one that comes between its prompt and its read
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert not (keyed.trace / "keys").exists()
    assert os.listdir(keyed.path("environments", "e")).count("agent") == 0


@pytest.mark.slow
def test_destroy_works_without_the_key(keyed):
    path = key(keyed, passphrase="open sesame")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", path], check=True)
    configure(keyed)
    keyed("provision")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", path], check=True)
    assert "e is destroyed" in keyed("destroy", "--yes").out


def test_platforms_that_name_no_key_have_no_agent(rigger, modules, tmp_path):
    rigger.env.pop("SSH_AUTH_SOCK", None)
    rigger.env["TRACE"] = str(tmp_path)
    modules.write("platform", "open", deploy=LOOK)
    rigger("configure", "--defaults", "--name", "e", "--platform", "open", "--provider", "noop")
    assert "ssh agent" not in rigger("provision").out
    assert (tmp_path / "socket").read_text() == "\n"


# Keys that are made


def test_a_key_is_made_where_there_is_none_and_said(keyed):
    said = configure(keyed)
    path = str(keyed.keys / "rigger-ed25519")
    assert f"Made an SSH key without a passphrase for KEY: {path}" in said.out
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(keyed.keys).st_mode & 0o777 == 0o700
    keyed("provision")
    assert "(ED25519)" in seen(keyed)


def test_the_first_key_that_is_there_is_taken_rather_than_another_made(keyed):
    path = key(keyed)
    assert "Made" not in configure(keyed).out
    assert keyed("config", "get", "KEY").out.strip() == path
    assert sorted(os.listdir(keyed.keys)) == ["id", "id.pub"]


def test_a_key_that_is_not_asked_to_be_made_is_missing(keyed):
    keyed.modules.write("platform", "guarded", PLATFORM.replace(", make: ed25519", ""))
    said = keyed(
        "configure", "--no-input", "--name", "e", "--platform", "guarded", "--provider", "noop", code=2
    )
    assert "--set KEY=..." in said.err
    assert not keyed.keys.exists()


@pytest.mark.slow
def test_making_a_key_overwrites_nothing(tmp_path):
    (tmp_path / "rigger-rsa").write_text("mine")
    (tmp_path / "rigger-rsa-2.pub").write_text("mine too")
    path = ssh_keys.make("rsa", str(tmp_path))
    assert path == str(tmp_path / "rigger-rsa-3")
    assert (tmp_path / "rigger-rsa").read_text() == "mine"
    said = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True).stdout
    assert said.startswith("4096 ") and "(RSA)" in said


def test_the_wizard_offers_to_make_a_key_on_a_simple_terminal_too(keyed):
    key(keyed)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "rigger", "configure", "--name", "e", "--platform", "guarded", "--provider", "noop", "--type", "development"],
        env={**keyed.env, "TERM": "dumb"}, cwd=keyed.folder, timeout=30,
    )  # fmt: skip
    child.expect("Which key")
    child.expect(r"2\D+make a new one")
    child.sendline("2")
    child.expect("Made an SSH key without a passphrase: .*rigger-ed25519")
    child.expect("Is this right")
    child.sendline("")
    child.expect("is configured")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and (keyed.keys / "rigger-ed25519").exists()


def test_the_wizard_offers_to_make_a_key(keyed):
    child = pexpect.spawn(
        sys.executable,
        ["-m", "rigger", "configure", "--name", "e", "--platform", "guarded", "--provider", "noop", "--type", "development"],
        env=keyed.env, cwd=keyed.folder, timeout=30, dimensions=(30, 100),
    )  # fmt: skip
    child.expect("Which key")
    child.expect("make a new one")
    time.sleep(0.2)
    child.send("\r")
    child.expect("Made an SSH key without a passphrase: .*rigger-ed25519")
    child.expect("Is this right")
    time.sleep(0.2)
    child.send("\r")
    child.expect("is configured")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and (keyed.keys / "rigger-ed25519").exists()
