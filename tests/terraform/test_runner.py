"""The program: which one is taken, and how it is asked."""

import json
import os
import shutil
import sys
import zipfile

import pytest
from helpers.terraform_provider import needs_terraform, without_terraform

from rigger.errors import NotReady, StepFailed
from rigger.terraform import migrate, runner, steps
from rigger.terraform.runner import find_program

pytestmark = needs_terraform


# The program


@pytest.mark.parametrize("version", ["0.11.0", "nonsense"])
def test_one_that_is_too_old_is_not_taken(clay, version):
    answer = json.dumps({"terraform_version": version})
    clay.stand_in(f"echo 'Terraform v{version}'; echo '{answer}'")
    path = f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}"
    with pytest.raises(NotReady, match=r"Terraform 1.3.0 or newer is needed, but .* is") as problem:
        find_program("1.3.0", path)
    assert "Install a newer one" in problem.value.next_step


def test_one_that_is_too_old_does_not_hide_another(clay):
    clay.stand_in("""echo '{"terraform_version": "0.11.0"}'""")
    real = os.path.dirname(shutil.which("terraform"))
    path = f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}:{real}"
    assert find_program("1.3.0", path).path == f"{real}/terraform"


def test_a_missing_one_that_cannot_be_had_is_told(clay):
    """No Terraform on the PATH; its mirror is a folder that has a corrupt archive, then none."""
    libexec = os.path.join(os.path.dirname(os.path.dirname(runner.__file__)), "libexec")
    mirror = clay.tmp_path / "mirror"
    for folder, _, _ in [*os.walk(clay.tmp_path / "mirror"), (str(mirror / "1.9.8"), [], [])]:
        os.makedirs(folder, exist_ok=True)
    archive = f"terraform_1.9.8_linux_{'arm64' if os.uname().machine == 'aarch64' else 'amd64'}.zip"
    (mirror / "1.9.8" / archive).write_bytes(b"PK, but not whole")
    (mirror / "1.9.8" / "terraform_1.9.8_SHA256SUMS").write_text(f"{'0' * 64}  {archive}\n")
    values = {
        "PATH": f"{libexec}:{without_terraform(clay.tmp_path)}",
        "RIGGER_BIN_DIR": str(clay.tmp_path / "bin"),
        "RIGGER_CACHE_DIR": str(clay.tmp_path / "cache"),
        "RIGGER_PYTHON": sys.executable,
        "TERRAFORM_DOWNLOAD_URL": f"file://{mirror}",
    }
    for url in (f"file://{mirror}", f"file://{mirror}/nowhere"):
        with pytest.raises(StepFailed, match="Terraform could not be installed") as problem:
            clay.run(steps.install, **{**values, "TERRAFORM_DOWNLOAD_URL": url})
        assert "TERRAFORM_ARCHIVE" in problem.value.next_step
        assert "There is neither Terraform nor OpenTofu 1.3.0" in clay.text
    assert not os.path.exists(clay.tmp_path / "bin" / "terraform")


def test_what_was_installed_is_what_works(clay):
    """An archive on this machine, of a stand-in that notes its arguments and runs the real Terraform."""
    noted = clay.stand_in('echo "$1" >>"$NOTED"; exec "$REAL" "$@"')
    archive = clay.tmp_path / "terraform_9.9.9_linux_amd64.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(clay.tmp_path / "programs" / "terraform", "terraform")
    libexec = os.path.join(os.path.dirname(os.path.dirname(runner.__file__)), "libexec")
    programs = str(clay.tmp_path / "bin")
    clay.run(
        steps.install,
        PATH=f"{libexec}:{programs}:{without_terraform(clay.tmp_path)}",
        RIGGER_BIN_DIR=programs,
        RIGGER_CACHE_DIR=str(clay.tmp_path / "cache"),
        RIGGER_PYTHON=sys.executable,
        TERRAFORM_ARCHIVE=str(archive),
    )
    assert f"{programs}/terraform" in clay.text
    clay.create()
    assert noted.read_text().split()[-3:] == ["init", "plan", "apply"]


def test_the_version_of_a_binary_is_asked_once(clay, monkeypatch):
    cache, asked = str(clay.tmp_path / "cache"), []
    ask = runner._version
    monkeypatch.setattr(runner, "_version", lambda path: asked.append(path) or ask(path))
    first = find_program("1.3.0", None, cache)
    assert find_program("1.3.0", None, cache) == first and len(asked) == 1
    copy = clay.tmp_path / "terraform"
    shutil.copy(first.path, copy)
    find_program("1.3.0", str(clay.tmp_path), cache)
    os.utime(copy, (1, 1))
    find_program("1.3.0", str(clay.tmp_path), cache)
    assert len(asked) == 3


@pytest.mark.slow
def test_opentofu_will_do(clay):
    """A stand-in for OpenTofu: Terraform under its name, which notes the command lines that it is given."""
    noted = clay.stand_in('echo "$@" >>"$NOTED"; exec "$REAL" "$@"', name="tofu")
    clay.run(steps.install, PATH=f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}")
    assert "tofu 1." in clay.text
    clay.create()
    clay.run(steps.destroy)
    plan = clay.workspace.passing("plan")
    assert [line for line in noted.read_text().splitlines() if line != "version -json"] == [
        "init -input=false -no-color -reconfigure",
        f"plan -input=false -no-color -detailed-exitcode -out={plan}",
        f"apply -json -input=false {plan}",
        f"plan -input=false -no-color -detailed-exitcode -out={plan} -destroy=true",
        f"apply -json -input=false {plan}",
    ]
    assert clay.made() == []


# A backend that a team shares


# The longer one is as long as Terraform's own are, and is on another line of what Terraform says.
@pytest.mark.slow
@pytest.mark.parametrize("id", ["0815", "4e43fb94-0815-4711-9c2f-0123456789ab"])
def test_a_lock_that_somebody_holds_is_told_and_released(clay, states, id):
    clay.create(**states.settings)
    held = {
        "ID": id,
        "Who": "ada@far",
        "Operation": "OperationTypeApply",
        "Created": "2026-11-20T20:00:00Z",
    }
    states.server.held = json.dumps(held).encode()
    with pytest.raises(StepFailed, match=f"The state is locked by .*{id}") as problem:
        clay.run(steps.check)
    assert "rigger terraform unlock" in problem.value.next_step
    assert clay.run(migrate.lock)["ID"] == id
    clay.run(migrate.unlock, id)
    assert not states.server.held
    assert clay.run(migrate.lock) == {}
    clay.run(steps.check)


def test_who_holds_a_lock_and_since_when():
    said = """Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        4e43fb94
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@far
  Version:   1.11.4
  Created:   2026-11-20 20:00:00.123 +0000 UTC
"""
    assert (
        runner.say_lock(runner.lock_of(said))
        == "ada@far since 2026-11-20 20:00:00, for apply (lock 4e43fb94)"
    )
