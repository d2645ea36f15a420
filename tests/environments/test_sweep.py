"""What killed riggers left in a home is finished or removed, and what anybody still works on is not."""

import os
import subprocess
import sys

import pytest
from helpers.second_machine import FALLING, holders

from rigger.environments.home import Home
from rigger.environments.store import KEY_BYTES
from rigger.errors import InvalidConfig
from rigger.files import temporary_path

SECRET = "sesame-4711-open"
OLD = 1_600_000_000


@pytest.fixture
def home(rigger):
    home = Home(rigger.home)
    wood = home.create("wood", {"PLATFORM": "tree"}, {"TOKEN": SECRET})
    for folder in ("modules/soil", "runs/1-provision"):
        os.makedirs(wood.file(folder))
        with open(wood.file(folder, "state"), "w") as file:
            file.write(SECRET)
    home.use("wood")
    with wood.locked("a test"):
        wood.audit.append("configured")
        wood.audit.append("destroyed")
    return home


def dead() -> int:
    """Return the number of a process that has ended."""
    return int(subprocess.run(["sh", "-c", "echo $$"], capture_output=True, check=True).stdout)


def leave(path, content="left", age=OLD):
    with open(path, "w") as file:
        file.write(content)
    os.utime(path, (age, age))
    return path


@pytest.mark.parametrize("number", range(1, 12))
def test_a_forget_that_is_killed_at_any_moment_is_finished_by_the_next_command(home, rigger, number):
    done = subprocess.run(
        [sys.executable, "-c", FALLING, str(number), "forget", "wood", "-y"],
        env=rigger.env,
        capture_output=True,
    )
    killed = done.returncode == -9
    rigger("list")
    left = os.listdir(home.environments_dir)
    if left == ["wood"]:
        assert killed and holders(SECRET, home.path)  # nothing had begun; it can be forgotten again
        rigger("forget", "wood", "-y")
    assert os.listdir(home.environments_dir) == [] and holders(SECRET, home.path) == []
    assert not os.path.lexists(rigger.path("current")) and not os.path.lexists(rigger.path("vars"))


def test_secrets_go_first(home, rigger):
    wood = home.at("wood")
    aside = os.path.join(home.environments_dir, ".forgotten-" + "0" * 16)
    os.rename(wood.path, aside)
    hook = "import sys; sys.addaudithook(lambda e, a: e in ('os.remove', 'os.rmdir') and print(a[0], flush=True))"
    code = f"{hook}\nfrom rigger.environments.home import Home\nHome({home.path!r}).sweep()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=rigger.env, capture_output=True, text=True, check=True
    )
    gone = [os.path.basename(line) for line in done.stdout.split()]
    assert gone[:3] == ["secrets", "outputs.secrets.json", "key"] and not os.path.exists(aside)
    assert gone.index("state") < gone.index("audit.jsonl")


def test_half_written_files_of_dead_processes_are_removed_and_no_others(home, rigger):
    wood = home.at("wood")
    folders = (home.path, home.cache_dir, wood.path)
    of_dead = [leave(os.path.join(folder, f".vars.{dead()}-{'a' * 12}.tmp")) for folder in folders]
    kept = [
        leave(temporary_path(wood.vars_file)),  # this process lives
        leave(os.path.join(wood.path, f".vars.{dead()}-{'b' * 12}.tmp"), age=os.stat(wood.path).st_mtime),
        leave(os.path.join(wood.path, "notes.tmp")),
        leave(os.path.join(wood.path, f"my.{dead()}-{'c' * 12}.tmp")),
    ]
    rigger("list")
    assert [path for path in of_dead if os.path.exists(path)] == []
    assert [path for path in kept if not os.path.exists(path)] == []


def test_an_environment_that_was_being_made_goes_when_its_maker_is_dead(home, rigger):
    names = (f".new-{dead()}-{'a' * 16}", f".new-{os.getpid()}-{'b' * 16}", ".load-" + "c" * 16)
    for name in names:
        folder = os.path.join(home.environments_dir, name)
        os.mkdir(folder)
        leave(os.path.join(folder, "secrets"), SECRET)
        os.utime(folder, (OLD, OLD))
    rigger("list")
    assert sorted(os.listdir(home.environments_dir)) == [names[1], "wood"]


# ---- the key of secrets' digests -------------------------------------------------------------------------


def key_of(environment) -> bytes:
    with open(environment.file("key"), "rb") as file:
        return file.read()


def test_a_key_that_cannot_be_read_is_not_replaced(home):
    wood = home.at("wood")
    before = key_of(wood)
    os.rename(wood.file("key"), wood.file("aside"))
    os.mkdir(wood.file("key"))  # which nobody can read as a file, root neither
    for held in (False, True):
        with pytest.raises(InvalidConfig, match="key cannot be read: Is a directory"):
            if held:
                with wood.locked("a test"):
                    wood.key()
            else:
                wood.key()
    os.rmdir(wood.file("key"))
    os.rename(wood.file("aside"), wood.file("key"))
    assert wood.key() == before == key_of(wood)


@pytest.mark.parametrize("content", [b"", b"x" * (KEY_BYTES - 1), b"x" * (KEY_BYTES + 1)])
def test_a_key_that_rigger_did_not_write_is_named(home, content):
    wood = home.at("wood")
    with open(wood.file("key"), "wb") as file:
        file.write(content)
    with pytest.raises(InvalidConfig, match="key is not what rigger wrote"):
        wood.key()
    assert key_of(wood) == content


def test_who_only_looks_writes_no_key(home):
    wood = home.at("wood")
    os.unlink(wood.file("key"))
    assert len(wood.key()) == KEY_BYTES and not os.path.exists(wood.file("key"))
    with wood.locked("a test"):
        assert wood.key() == key_of(wood)
