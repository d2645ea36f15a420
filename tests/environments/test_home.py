"""RIGGER_HOME: environments side by side, and the links to the current one."""

import os
import re
import stat
import subprocess
import sys
import threading

import pytest
from conftest import ROOT

from rigger.environments.home import Home
from rigger.errors import BadUsage, InvalidConfig


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


def test_an_environment_is_made_in_one_piece(home):
    made = home.create("demo", {"PLATFORM": "etcd"}, {"TOKEN": "secret"})
    assert home.names() == ["demo"] and home.get("demo").vars() == {"PLATFORM": "etcd"}
    assert made.secrets() == {"TOKEN": "secret"}
    for path in (home.path, home.environments_dir, made.path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    for path in (made.vars_file, made.secrets_file, made.file("key")):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert f'PATH="{made.bin_dir}${{PATH:+:$PATH}}"' in open(made.vars_file).read()


def test_what_is_made_is_on_the_disk_under_its_name(home, tmp_path):
    trace = tmp_path / "trace"
    code = "import sys; from rigger.environments.home import Home; Home(sys.argv[1]).create('demo', {}, {'TOKEN': 'x'})"
    calls = "trace=rename,renameat,renameat2,fsync"
    command = ["strace", "-f", "-y", "-e", calls, "-o", str(trace), sys.executable, "-c", code, home.path]
    subprocess.run(command, check=True, cwd=ROOT)
    before, after = trace.read_text().split(f'{home.environments_dir}/demo"')
    assert "fsync" in before
    for folder in (home.environments_dir, home.path, str(tmp_path)):
        assert re.search(rf"fsync\(\d+<{re.escape(folder)}>\) += 0", after)


def test_a_home_that_no_path_can_hold_is_refused(rigger, tmp_path):
    for command in (
        ["configure", "--defaults", "--platform", "noop", "--provider", "noop"],
        ["status"],
        ["list"],
    ):
        said = rigger(*command, code=3, env={"RIGGER_HOME": str(tmp_path / "a:b")}).err
        assert "a:b has a :" in said and "Set RIGGER_HOME" in said
    assert not os.path.exists(tmp_path / "a:b")


def test_a_failure_leaves_nothing(home):
    with pytest.raises(InvalidConfig):
        home.create("demo", {"NOT A NAME": "x"}, {})
    assert home.names() == [] and os.listdir(home.environments_dir) == []


def test_one_that_exists_is_not_replaced(home):
    home.create("demo", {"PLATFORM": "etcd"}, {})
    with pytest.raises(InvalidConfig):
        home.create("demo", {"PLATFORM": "other"}, {})
    assert home.get("demo").vars() == {"PLATFORM": "etcd"}
    assert os.listdir(home.environments_dir) == ["demo"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-a", "a b", "ä", "a\n", "x" * 64, ".hidden"])
def test_names_that_are_no_names(home, name):
    with pytest.raises(BadUsage):
        home.at(name)


def test_current_is_a_link_that_is_replaced_in_one_step(home):
    for name in ("one", "two"):
        home.create(name, {"PLATFORM": name}, {})
    home.use("one")
    assert home.current_name() == "one" and home.get().name == "one"
    assert os.readlink(os.path.join(home.path, "current")) == "environments/one"
    assert os.readlink(os.path.join(home.path, "vars")) == "current/vars"
    stop, missing = threading.Event(), []

    def watch():
        while not stop.is_set():
            try:
                open(os.path.join(home.path, "vars")).close()
            except OSError as problem:
                missing.append(problem)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(200):
        home.use("two")
        home.use("one")
    stop.set()
    watcher.join()
    assert missing == []
    assert sorted(os.listdir(home.path)) == ["cache", "current", "environments", "vars"]


def test_a_link_that_points_nowhere_is_no_current_one(home):
    home.create("one", {}, {})
    home.use("one")
    home.forget(home.get("one"))
    os.symlink("environments/gone", os.path.join(home.path, "current"))
    assert home.current_name() is None
    with pytest.raises(InvalidConfig):
        home.get()


def test_a_file_of_the_users_own_is_not_replaced(home):
    home.create("one", {}, {})
    with open(os.path.join(home.path, "vars"), "w") as file:
        file.write("mine\n")
    home.use("one")
    assert open(os.path.join(home.path, "vars")).read() == "mine\n" and home.current_name() == "one"


def test_what_is_no_environment_is_not_listed(home):
    home.create("one", {}, {})
    os.mkdir(os.path.join(home.environments_dir, "empty"))
    os.mkdir(os.path.join(home.environments_dir, ".new-123"))
    open(os.path.join(home.environments_dir, "file"), "w").close()
    assert home.names() == ["one"]


def test_the_home_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home().path == str(tmp_path / ".rigger")
    monkeypatch.setenv("RIGGER_HOME", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert Home().path == str(tmp_path / "elsewhere")
    monkeypatch.setenv("RIGGER_HOME", "")
    assert Home().path == str(tmp_path / ".rigger")


def test_the_key_stays_the_same(home):
    made = home.create("one", {}, {})
    assert len(made.key()) == 32 and made.key() == home.get("one").key()
    assert made.key() != home.create("two", {}, {}).key()
