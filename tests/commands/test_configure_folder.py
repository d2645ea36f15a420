"""Folders of somebody's own, and clones in every state that people leave them in."""

import http.server
import os
import shutil
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
from helpers.hostile_urls import hostile_refs, hostile_urls
from helpers.platform_repository import PLATFORM, Repository, checkout_of, vars_of
from helpers.repositories import Canary, git

MAKES = '#!/bin/sh\n# Summary: Use the repository.\necho "made: $(cat "$OAK_ROOT/release")"\n'


# Folders


def path(rigger, folder, *words, code=0):
    return rigger(
        "configure", "--no-input", "--name", "oak", "--path", folder, "--provider", "noop", *words, code=code
    )


@pytest.mark.slow
def test_a_folder_in_no_repository(rigger, repository):
    folder = repository.folder
    shutil.rmtree(os.path.join(folder, ".git"))
    path(rigger, folder)
    assert vars_of(rigger)["VERSION"] == "unversioned"
    assert "has no version: it is in no git repository that has a commit" in rigger("provision").out
    assert "has no version" in rigger("checkout").out
    git(folder, "init", "-q")
    assert "has no version" in rigger("provision").out
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    assert (
        f"is at {git(folder, 'describe', '--long', '--dirty', '--tags', '--always')}"
        in rigger("provision").out
    )


def test_a_folder_within_a_repository(rigger, repository):
    path(rigger, os.path.join(repository.folder, "rigger"))
    assert vars_of(rigger)["VERSION"] == git(repository.folder, "describe", "--long", "--tags")
    assert vars_of(rigger)["OAK_ROOT"] == os.path.join(repository.folder, "rigger")
    rigger("provision")


@pytest.mark.slow
def test_a_worktree(rigger, repository, tmp_path):
    tree = str(tmp_path / "tree")
    git(repository.folder, "worktree", "add", "-q", tree, "v1.9.0")
    path(rigger, tree, "--provider", "soil")
    assert vars_of(rigger)["VERSION"] == git(tree, "describe", "--long", "--tags")
    assert f"in {tree}" in rigger("provision", "-v").out
    rigger("save", "--with-checkout", "-o", tmp_path / "oak.rigger")


@pytest.mark.slow
def test_a_bare_repository_is_to_be_cloned(rigger, repository, oak, tmp_path):
    bare = str(tmp_path / "bare.git")
    git(tmp_path, "clone", "-q", "--bare", repository.folder, bare)
    said = path(rigger, bare, code=2).err
    assert "is a bare git repository" in said and f"--repository {bare}" in said
    oak(url=bare)
    assert vars_of(rigger)["VERSION"] == "v1.10.0"


# Clones


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "word"),
    [
        (["rebase", "theirs"], "rebase"),
        (["merge", "theirs"], "merge"),
        (["cherry-pick", "theirs"], "cherry-pick"),
    ],
)
def test_a_clone_in_the_middle_of_something(rigger, oak, begin, word):
    oak("--version", "1.9.0")
    folder = checkout_of(rigger)
    for branch in ("theirs", "mine"):
        git(folder, "switch", "-qc", branch, "v1.9.0")
        with open(os.path.join(folder, "release"), "w") as file:
            file.write(f"{branch}\n")
        git(folder, "commit", "-qam", branch)
    git(folder, *begin, check=False)
    rigger("config", "set", "VERSION=1.10.0")
    assert f"a {word} is under way" in rigger("checkout", code=2).err
    said = rigger("checkout", "--update", "--trust", code=4).err
    assert f"git -C {folder} {word} --abort" in said
    assert f"a {word} that is under way" in rigger("checkout", "--clone", "--trust", code=4).err
    with open(os.path.join(folder, "release"), "w") as file:
        file.write("resolved\n")
    git(folder, "add", "-A")
    assert f"A {word} is under way" in rigger("checkout", "--update", "--trust", code=4).err
    git(folder, word, "--abort")
    rigger("checkout", "--update", "--trust")
    assert (
        git(folder, "describe", "--tags") == "v1.10.0"
        and git(folder, "log", "-1", "--format=%s", "mine") == "mine"
    )


@pytest.mark.slow
def test_a_clone_of_something_else(rigger, repository, oak, tmp_path):
    oak()
    other = Repository(tmp_path / "other")
    git(other.folder, "rm", "-rq", "contrib", "rigger")
    other.commit("nothing of use")
    folder = checkout_of(rigger)
    shutil.rmtree(folder)
    git(tmp_path, "clone", "-q", other.folder, folder)
    said = rigger("provision", code=3).err
    assert "There is no platform named 'oak'" in said and f'{folder}: "rigger checkout"' in said
    said = rigger("checkout", code=2)
    assert f"says that it comes from {other.folder}, not from {repository.url}" in said.out + said.err
    rigger("checkout", "--update", "--trust")
    git(folder, "remote", "set-url", "origin", repository.url)
    assert "says that it comes from" not in rigger("checkout").out
    rigger("provision")


@pytest.mark.slow
def test_a_plan_without_its_clone(rigger, repository, oak):
    oak()
    shutil.rmtree(checkout_of(rigger))
    said = rigger("provision", "--plan", code=3).err
    assert "is not in" in said and '"rigger provision" does that too' in said
    assert "is missing; cloning" in rigger("provision").out
    assert "Nothing to do" in rigger("provision", "--plan").out


# Agreement


@pytest.fixture
def elsewhere(rigger, repository, modules):
    """An environment whose scripts lie outside of its clone, and use what is in it."""
    git(repository.folder, "rm", "-rq", "rigger")
    repository.release("v2.0.0")
    manifest = f"repository: {repository.url}\nversions: git-tags\nsuites: {{smoke: {{tests: [uses]}}}}\n"
    folder = modules.write("platform", "oak", manifest)
    for name in ("deploy", "tests__uses"):
        modules.script(folder, name, MAKES.removeprefix("#!/bin/sh\n"))
    words = ["configure", "--no-input", "--platform", "oak", "--provider", "noop"]
    assert "--trust" in rigger(*words, code=2).err
    rigger(*words, "--trust")
    return checkout_of(rigger)


@pytest.mark.slow
def test_scripts_elsewhere_use_a_clone_only_once_it_was_agreed_to(rigger, repository, elsewhere):
    assert "made: v2.0.0" in rigger("provision", "-v").out
    theirs = repository.commit("theirs", release="evil\n")
    git(elsewhere, "fetch", "-q", "origin", "main")
    git(elsewhere, "checkout", "-q", theirs)
    commands = (
        ["provision"],
        ["provision", "--again"],
        ["test", "smoke"],
        ["check"],
        ["destroy", "--yes"],
        ["setup-clients"],
    )
    for command in commands:
        said = rigger(*command, code=2)
        assert f"they are at {theirs[:12]}" in said.err and "evil" not in said.out, command
    said = rigger("configure", "--no-input", "--set", "TYPE=development", code=2)
    assert theirs in said.out + said.err and "--trust" in said.err
    rigger("checkout", "--leave", "--trust")
    assert "evil" in rigger("test", "smoke", "-v").out


@pytest.mark.slow
def test_programs_of_questions_run_only_once_they_were_agreed_to(rigger, repository, oak, tmp_path):
    mark = tmp_path / "ran"
    asked = "questions:\n  - {name: SIZE, default: a, check: look}\n"
    repository.release(
        "v2.0.0",
        **{"rigger/rigger.yml": PLATFORM.replace("questions:\n", asked), "rigger/look": "#!/bin/sh\n"},
    )
    oak()
    theirs = repository.commit("theirs", **{"rigger/look": f"#!/bin/sh\ntouch {mark}\n"})
    folder = checkout_of(rigger)
    git(folder, "fetch", "-q", "origin", "main")
    git(folder, "checkout", "-q", theirs)
    for command in (["config", "set", "SIZE=b"], ["configure", "--no-input", "--set", "SIZE=b"]):
        said = rigger(*command, code=2)
        assert theirs[:12] in said.err, command
    assert not mark.exists() and "SIZE" not in vars_of(rigger)
    rigger("configure", "--no-input", "--trust", "--set", "SIZE=b")
    assert mark.exists()


# A server, and hostile words


class Smart(http.server.BaseHTTPRequestHandler):
    """git's own program for repositories over HTTP, for one request."""

    def answer(self):
        where, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environ = {
            **os.environ,
            "GIT_PROJECT_ROOT": self.server.folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": where,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        said = subprocess.run(
            ["git", "http-backend"], input=self.rfile.read(length), env=environ, capture_output=True
        )
        head, _, body = said.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *words):
        self.server.asked.append(self.path)


@pytest.fixture
def server(repository):
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Smart)
    found.folder, found.asked = os.path.dirname(repository.folder), []
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.mark.slow
def test_a_repository_over_http(rigger, repository, oak, server):
    url = f"http://127.0.0.1:{server.server_port}/oak/.git"
    oak("--version", "1.9.0", url=url)
    folder = checkout_of(rigger)
    assert git(folder, "rev-parse", "--is-shallow-repository") == "true"
    rigger("provision")
    git(repository.folder, "tag", "-f", "v1.9.0", "v1.10.0")
    said = rigger("checkout", "--update", "--trust").out
    assert "The tag v1.9.0 was moved" in said
    rigger("config", "set", "REF=next")
    rigger("checkout", "--update", "--trust")
    git(repository.folder, "branch", "-f", "next", "v1.9.0~1")
    rigger("checkout", "--update", "--trust")
    assert git(folder, "rev-parse", "HEAD") == git(repository.folder, "rev-parse", "next") and server.asked
    server.folder = "/nonexistent"
    assert "cannot be reached" in rigger("checkout", code=4).err


def test_two_hundred_hostile_urls_and_refs_as_flags(rigger, repository, tmp_path):
    canary = Canary(str(tmp_path))
    for name in ("sh", "ssh", "git-remote-ext"):
        os.symlink(canary.program, tmp_path / name)
    urls, refs = [*hostile_urls(canary.program)], [*hostile_refs(canary.program)]
    given = [["--repository=" + url, "--version", "1.9.0"] for url in urls]
    given += [
        [f"--{flag}={ref}", f"--repository={repository.url}"] for ref in refs for flag in ("ref", "version")
    ]
    script = (
        "import ast, sys\nfrom rigger.__main__ import main\n"
        "for words in ast.literal_eval(sys.stdin.read()):\n"
        "    code = main(['configure', '--no-input', '--trust', '--provider', 'noop', *words])\n"
        "    print('exit', code, ascii(words))\n"
    )
    environ = {**rigger.env, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": ROOT}
    said = subprocess.run(
        [sys.executable, "-c", script],
        input=ascii(given),
        text=True,
        env=environ,
        cwd=repository.folder,
        capture_output=True,
    )
    codes = [line.split()[1] for line in said.stdout.splitlines() if line.startswith("exit ")]
    assert len(codes) == len(given) >= 200, said.stderr[-2000:]
    wrong = [
        line
        for line in said.stdout.splitlines()
        if line.startswith("exit ") and line.split()[1] not in ("2", "4", "9")
    ]
    assert not wrong and codes.count("9") > len(codes) - 10
    assert canary.ran() == "" and "Traceback" not in said.stderr
    assert not os.path.exists(rigger.path("environments")) or os.listdir(rigger.path("environments")) == []
