"""The programs and functions that interface 1 promises to scripts, beside those of every interface."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.envfile import output as step_output

LIBEXEC = os.path.join(ROOT, "rigger", "libexec")
FUNCTIONS = os.path.join(LIBEXEC, "interface1", "functions.sh")
MANY = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def step(tmp_path):
    """The environment of a step, with no terraform on the PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    wanted = "sh bash env awk sed tr uname mkdir mktemp mv ln rm chmod curl dirname grep tail ssh-keygen gpg cat".split()
    for name in wanted:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    env = {
        "HOME": os.environ["HOME"],
        "PATH": f"{LIBEXEC}:{tmp_path}/bin:{programs}",
        "RIGGER_OUTPUT": str(tmp_path / "output"),
        "RIGGER_SECRETS_OUTPUT": str(tmp_path / "secrets"),
        "RIGGER_BIN_DIR": str(tmp_path / "bin"),
        "RIGGER_CACHE_DIR": str(tmp_path / "cache"),
        "RIGGER_PYTHON": sys.executable,
    }
    return env


def run(step, *argv, code=0, **more):
    done = subprocess.run(argv, env={**step, **more}, capture_output=True, stdin=subprocess.DEVNULL)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == code, said
    return said


def bash(step, text, **options):
    return run(step, "bash", "-c", f". {shlex.quote(FUNCTIONS)}\n{text}", **options)


def saved(step, name="RIGGER_OUTPUT"):
    with open(step[name], "rb") as file:
        return step_output.parse_output(file.read(), "output")[0]


# The functions


@MANY
@given(value=st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"")))
def test_variables_that_are_not_exported_are_saved_byte_for_byte(step, value):
    text = texts.decode(value)
    quoted = "'" + text.replace("'", "'\\''") + "'"
    script = f"set -eu; IFS=:; plain={quoted}; rigger-save-vars plain; rigger-save-secrets plain".encode(
        "utf-8", "surrogateescape"
    )
    for name in ("RIGGER_OUTPUT", "RIGGER_SECRETS_OUTPUT"):
        open(step[name], "w").close()
    run(step, "bash", "-c", b". " + FUNCTIONS.encode() + b"\n" + script)
    assert saved(step)["plain"] == saved(step, "RIGGER_SECRETS_OUTPUT")["plain"] == text


def test_unset_and_empty_are_told_apart(step):
    bash(step, "empty=; rigger-save-vars empty")
    assert saved(step) == {"empty": ""}
    said = bash(step, "rigger-save-vars missing", code=2)
    assert "error: rigger-save-vars: missing is not set" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("all is well", "all is well\n"),
        ("info all is well", "all is well\n"),
        ("warn careful", "warning: careful\n"),
        ("fatal gone", "error: gone\n"),
        ("debug x", "debug: x\n"),
    ],
)
def test_rerun_log(step, words, said):
    assert bash(step, f"rerun_log {words}") == said
    assert run(step, "rigger-log", *words.split()) == said


def test_the_fingerprint_of_a_key(step, tmp_path):
    path = str(tmp_path / "my key")
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", path], check=True)
    said = subprocess.run(
        ["ssh-keygen", "-E", "md5", "-lf", path], capture_output=True, text=True, check=True
    )
    assert f"MD5:{bash(step, f'ssh-fingerprint {shlex.quote(path)}').strip()} " in said.stdout
    assert "on\n" not in bash(step, "set -e; x=$(ssh-fingerprint /nowhere); echo on", code=255)
    assert "on\n" not in bash(step, "ssh-fingerprint /nowhere || exit 7; echo on", code=7)


# rigger-render-shell-template


def render(step, tmp_path, text, code=0, **values):
    path = tmp_path / "template"
    path.write_bytes(texts.encode(text))
    done = subprocess.run(
        ["rigger-render-shell-template", path],
        env={**{os.fsencode(n): os.fsencode(v) for n, v in step.items()}, **_bytes(values)},
        capture_output=True,
    )
    assert done.returncode == code, done.stderr
    return texts.decode(done.stdout if code == 0 else done.stderr)


def _bytes(values):
    return {name.encode(): texts.encode(value) for name, value in values.items()}


@pytest.mark.parametrize(
    "text",
    [
        "plain\n",
        "$NAME and ${NAME}x, \\$NAME \\\\ \\` \\x 'single $NAME' \"double $NAME\"\n",
        "${NAME-no} ${NAME:-no} ${EMPTY-no}<${EMPTY:-no}> ${GONE-a b} ${GONE:-c}\n",
        "50$ $5x $.\nline\\\njoined\n\n\n",
        "äöü \udcff $NAME",
    ],
)
def test_a_template_is_what_a_here_document_would_be(step, tmp_path, text):
    values = {"NAME": "a  b $HOME `id` \\ \"'", "EMPTY": ""}
    by_shell = subprocess.run(
        ["bash", "-c", texts.encode(f"cat <<TEMPLATE\n{text}\nTEMPLATE\n".replace("$5", "\\$5"))],
        env={b"PATH": os.environb[b"PATH"], **_bytes(values)},
        capture_output=True,
        check=True,
    )
    assert render(step, tmp_path, text, **values) == texts.decode(by_shell.stdout)[:-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n$(touch canary)", "line 2: $( begins what only a shell could run"),
        ("`touch canary`", "line 1: ` begins what only a shell could run"),
        ("$((1 + 1))", "$( begins"),
        ("${NAME:-$(touch canary)}", "is an expression that only a shell could run"),
        ("${NAME%x*}", "${NAME%x*} is an expression"),
        ("${!NAME}", "${ begins"),
        ("\n\n$GONE", "line 3: GONE is not set"),
    ],
)
def test_nothing_in_a_template_runs(step, tmp_path, monkeypatch, text, told):
    monkeypatch.chdir(tmp_path)
    assert told in render(step, tmp_path, text, code=1, NAME="x")
    assert not os.path.exists("canary")
    assert render(step, tmp_path, "$NAME", NAME="$(touch canary)") == "$(touch canary)"


# rigger-install-terraform


def program(version):
    """A stand-in for a Terraform: it says its version and nothing else."""
    return f'#!/bin/sh\necho "Terraform v{version}"\n'


def release(folder, version, text=None, sums=True):
    """A release of the stand-in, as a mirror has it."""
    kind = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"terraform_{version}_{platform.system().lower()}_{kind}.zip"
    place = folder / version
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / name, "w") as archive:
        archive.writestr("LICENSE.txt", "")
        archive.writestr("terraform", text or program(version))
    if sums:
        digest = sha256((place / name).read_bytes()).hexdigest()
        (place / f"terraform_{version}_SHA256SUMS").write_text(f"{'0' * 64}  other.zip\n{digest}  {name}\n")
    return place / name


def version_on_path(step):
    found = shutil.which("terraform", path=step["PATH"])
    return found and run(step, found, "version").split()[1]


def own(tmp_path, step, version):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "terraform").write_text(program(version))
    (folder / "terraform").chmod(0o755)
    step["PATH"] += f":{folder}"


def test_a_terraform_of_your_own_is_used_if_it_is_new_enough(step, tmp_path):
    own(tmp_path, step, "1.10.2")
    said = run(step, "rigger-install-terraform", "1.9.0", TERRAFORM_DOWNLOAD_URL="file:///nowhere")
    assert "Terraform 1.10.2 is at hand" in said and not os.path.exists(step["RIGGER_BIN_DIR"])


def test_an_older_one_is_passed_over_and_the_download_is_shared(step, tmp_path):
    own(tmp_path, step, "1.8.9")
    release(tmp_path / "mirror", "1.9.8")
    mirror = {"TERRAFORM_DOWNLOAD_URL": f"file://{tmp_path}/mirror/"}
    assert "Fetching Terraform 1.9.8" in run(step, "rigger-install-terraform", "1.9.0", **mirror)
    assert version_on_path(step) == "v1.9.8"
    other = {**step, "RIGGER_BIN_DIR": str(tmp_path / "other")}
    assert "Fetching" not in run(other, "rigger-install-terraform", "1.9", **mirror)
    [source] = os.listdir(step["RIGGER_CACHE_DIR"] + "/terraform")
    assert os.listdir(step["RIGGER_CACHE_DIR"] + f"/terraform/{source}") == ["1.9.8"]
    os.unlink(tmp_path / "own" / "terraform")
    (tmp_path / "own" / "terraform").write_text(program("2.0.0"))
    (tmp_path / "own" / "terraform").chmod(0o755)
    run(step, "rigger-install-terraform", "1.9")
    assert version_on_path(step) == "v2.0.0"


@pytest.mark.slow
def test_what_one_mirror_gave_is_not_taken_for_anothers(step, tmp_path):
    own(tmp_path, step, "1.8.9")
    for name, mark in (("evil", "# evil\n"), ("good", "# good\n")):
        release(tmp_path / name, "1.9.8", program("1.9.8") + mark)
    for name in ("evil", "good", "evil"):
        run(step, "rigger-install-terraform", "1.9", TERRAFORM_DOWNLOAD_URL=f"file://{tmp_path}/{name}")
        assert (tmp_path / "bin" / "terraform").read_text().endswith(f"# {name}\n")
    archive = release(tmp_path / "archive", "1.9.8", program("1.9.8") + "# own\n")
    run(step, "rigger-install-terraform", "1.9", TERRAFORM_ARCHIVE=str(archive))
    assert (tmp_path / "bin" / "terraform").read_text().endswith("# own\n")
    nowhere = {"TERRAFORM_DOWNLOAD_URL": f"file://{tmp_path}/nowhere"}
    assert "cannot be fetched" in run(step, "rigger-install-terraform", "1.9", code=1, **nowhere)


def test_what_was_changed_in_the_cache_or_lies_there_from_before_is_fetched_again(step, tmp_path):
    own(tmp_path, step, "1.8.9")
    release(tmp_path / "mirror", "1.9.8")
    mirror = {"TERRAFORM_DOWNLOAD_URL": f"file://{tmp_path}/mirror"}
    old = tmp_path / "cache" / "terraform" / "1.9.8"
    old.mkdir(parents=True)
    (old / "terraform").write_text(program("1.9.8") + "# evil\n")
    (old / "terraform").chmod(0o755)
    run(step, "rigger-install-terraform", "1.9", **mirror)
    assert "evil" not in (tmp_path / "bin" / "terraform").read_text()
    with open(tmp_path / "bin" / "terraform", "a") as file:  # a link into the cache
        file.write("# evil\n")
    assert "Fetching" in run(step, "rigger-install-terraform", "1.9", **mirror)
    assert "evil" not in (tmp_path / "bin" / "terraform").read_text()


def test_a_newer_minimum_is_what_is_fetched(step, tmp_path):
    release(tmp_path / "mirror", "1.12.1")
    run(step, "rigger-install-terraform", "1.12.1", TERRAFORM_DOWNLOAD_URL=f"file://{tmp_path}/mirror")
    assert version_on_path(step) == "v1.12.1"


def test_an_archive_of_your_own(step, tmp_path):
    archive = release(tmp_path / "mirror", "1.9.8")
    run(
        step,
        "rigger-install-terraform",
        TERRAFORM_ARCHIVE=str(archive),
        TERRAFORM_DOWNLOAD_URL="file:///nowhere",
    )
    assert version_on_path(step) == "v1.9.8"


def test_an_archive_without_sums_says_its_own(step, tmp_path):
    archive = release(tmp_path / "mirror", "1.9.8", sums=False)
    said = run(step, "rigger-install-terraform", TERRAFORM_ARCHIVE=str(archive))
    assert sha256(archive.read_bytes()).hexdigest() in said


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda zip, sums: zip.write_bytes(zip.read_bytes()[:-1]), "is refused: its SHA-256 is"),
        (
            lambda zip, sums: sums.write_text("0  other.zip\n"),
            "is refused: terraform_1.9.8_SHA256SUMS does not list",
        ),
        (lambda zip, sums: sums.unlink(), "SHA256SUMS cannot be fetched"),
        (lambda zip, sums: zip.unlink(), ".zip cannot be fetched"),
    ],
)
def test_what_is_not_as_it_was_released_is_refused(step, tmp_path, damage, told):
    archive = release(tmp_path / "mirror", "1.9.8")
    damage(archive, archive.parent / "terraform_1.9.8_SHA256SUMS")
    said = run(step, "rigger-install-terraform", code=1, TERRAFORM_DOWNLOAD_URL=f"file://{tmp_path}/mirror")
    assert told in said
    assert version_on_path(step) is None
    assert os.listdir(step["RIGGER_CACHE_DIR"] + "/terraform") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [("#!/bin/sh\nexit 1\n", "that does not run"), (program("1.0.0"), "has Terraform 1.0.0, not 1.5")],
)
def test_a_program_that_will_not_do_is_refused(step, tmp_path, text, told):
    release(tmp_path / "mirror", "1.9.8", text)
    said = run(
        step, "rigger-install-terraform", "1.5", code=1, TERRAFORM_DOWNLOAD_URL=f"file://{tmp_path}/mirror"
    )
    assert told in said and version_on_path(step) is None


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gpg"), reason="there is no gpg")
def test_a_signature_counts_where_gpg_has_the_key(step, tmp_path):
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    step["GNUPGHOME"] = str(home)
    gpg = ["gpg", "--batch", "--homedir", str(home), "--pinentry-mode", "loopback", "--passphrase", ""]
    try:
        subprocess.run(
            [*gpg, "--quick-generate-key", "a@example.org", "ed25519"], check=True, capture_output=True
        )
        listed = subprocess.run(
            [*gpg, "--with-colons", "--list-keys"], check=True, capture_output=True, text=True
        )
        signer = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
        archive = release(tmp_path / "mirror", "1.9.8")
        sums = archive.parent / "terraform_1.9.8_SHA256SUMS"
        given = {"TERRAFORM_DOWNLOAD_URL": f"file://{tmp_path}/mirror", "TERRAFORM_SIGNING_KEY": signer}
        assert "the signature, cannot be fetched" in run(step, "rigger-install-terraform", code=1, **given)
        subprocess.run([*gpg, "--detach-sign", str(sums)], check=True, capture_output=True)
        os.rename(f"{sums}.sig", f"{sums}.kept")
        (archive.parent / f"{sums.name}.sig").write_bytes(b"nonsense")
        assert "is refused: its signature" in run(step, "rigger-install-terraform", code=1, **given)
        os.rename(f"{sums}.kept", f"{sums}.sig")
        run(step, "rigger-install-terraform", **given)
        assert version_on_path(step) == "v1.9.8"
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


@pytest.mark.parametrize("version", ["latest", "1.9;id", "-1", ""])
def test_what_is_no_version_is_refused(step, version):
    said = run(step, "rigger-install-terraform", version, code=1, TERRAFORM_DOWNLOAD_URL="file:///x")
    assert "is not a version" in said or "cannot be fetched" in said
