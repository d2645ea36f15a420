"""Encryption and signatures: with real keys, a real ssh-keygen and a real agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pyrage
import pytest

from rigger.bundles import format as bundle_format
from rigger.bundles import pack, seal
from rigger.bundles import read as bundles_read
from rigger.errors import BadUsage, NotReady, Refused

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")

DATA = b"A=hunter2\n\0\xff" * 100


def make_key(folder, name, kind="ed25519", passphrase=""):
    path = os.path.join(folder, name)
    bits = ["-b", "2048"] if kind == "rsa" else []
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, *bits, "-N", passphrase, "-C", "a comment", "-f", path], check=True
    )
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Private keys by name; the public ones lie beside them."""
    folder = str(tmp_path_factory.mktemp("keys"))
    made = {name: make_key(folder, name, name) for name in ("ed25519", "rsa", "ecdsa")}
    return {
        **made,
        "other": make_key(folder, "other"),
        "locked": make_key(folder, "locked", passphrase="a passphrase"),
    }


def read(path):
    with open(path) as file:
        return file.read()


# --- encryption --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_passphrase_gives_the_data_back():
    sealed = seal.encrypt(DATA, passphrase="grüße 1")
    assert b"hunter2" not in sealed
    assert seal.needs_passphrase(sealed)
    assert seal.decrypt(sealed, passphrase="grüße 1") == DATA


@pytest.mark.slow
def test_a_wrong_passphrase_is_told():
    with pytest.raises(BadUsage, match=r"^The passphrase does not decrypt the secrets\.$"):
        seal.decrypt(seal.encrypt(DATA, passphrase="right"), passphrase="wrong")


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_decrypt_what_was_encrypted_for_them(keys, kind):
    sealed = seal.encrypt(DATA, recipients=[read(keys["other"] + ".pub"), read(keys[kind] + ".pub")])
    assert not seal.needs_passphrase(sealed)
    assert seal.decrypt(sealed, identities=[keys[kind]]) == DATA


def test_an_age_key_decrypts(tmp_path, keys):
    identity = pyrage.x25519.Identity.generate()
    file = tmp_path / "key.txt"
    file.write_text(f"# created: today\n# public key: {identity.to_public()}\n{identity}\n")
    sealed = seal.encrypt(DATA, recipients=[str(identity.to_public())])
    assert seal.decrypt(sealed, identities=[keys["other"], str(file)]) == DATA


@pytest.mark.slow
def test_what_does_not_fit_is_told(keys):
    for_key = seal.encrypt(DATA, recipients=[read(keys["ed25519"] + ".pub")])
    for_passphrase = seal.encrypt(DATA, passphrase="right")
    with pytest.raises(BadUsage, match="None of the keys decrypts"):
        seal.decrypt(for_key, identities=[keys["other"]])
    with pytest.raises(BadUsage, match="encrypted for keys, and a passphrase was given"):
        seal.decrypt(for_key, passphrase="right")
    with pytest.raises(BadUsage, match="encrypted with a passphrase, and keys were given"):
        seal.decrypt(for_passphrase, identities=[keys["other"]])


def test_what_was_changed_is_not_decrypted(keys):
    sealed = seal.encrypt(DATA, recipients=[read(keys["ed25519"] + ".pub")])
    for at in range(0, len(sealed), 7):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises((BadUsage, Refused)):
            seal.decrypt(changed, identities=[keys["ed25519"]])
    with pytest.raises(Refused, match="age"):
        seal.decrypt(b"", passphrase="x")


@pytest.mark.parametrize(
    "recipient", ["", "age1nonsense", "ssh-ed25519 AAAA", "somebody", "-----BEGIN PRIVATE KEY-----"]
)
def test_a_recipient_that_is_none_is_told(recipient):
    with pytest.raises(BadUsage, match="is no recipient"):
        seal.encrypt(DATA, recipients=[recipient])


@pytest.mark.parametrize("options", [{}, {"passphrase": "x", "recipients": ["age1x"]}, {"passphrase": ""}])
def test_encryption_needs_exactly_one_way(options):
    with pytest.raises(BadUsage):
        seal.encrypt(DATA, **options)


def test_identities_that_are_none_are_named(tmp_path, keys):
    sealed = seal.encrypt(DATA, recipients=[read(keys["ed25519"] + ".pub")])
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"\xff\n")
    for path in (str(nonsense), keys["ed25519"] + ".pub", str(tmp_path / "none"), keys["locked"]):
        with pytest.raises(BadUsage, match=path):
            seal.decrypt(sealed, identities=[path])


# --- signatures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_signature_is_valid_for_its_data_and_key_alone(keys, kind):
    signature = seal.sign(DATA, keys[kind])
    public = keys[kind] + ".pub"
    assert seal.verify(DATA, signature, public) == seal.verify(DATA, signature) == fingerprint(public)
    with pytest.raises(Refused, match="not valid"):
        seal.verify(DATA + b"x", signature, public)
    with pytest.raises(Refused, match="not valid"):
        seal.verify(DATA + b"x", signature)
    with pytest.raises(Refused, match="not valid by a key in"):
        seal.verify(DATA, signature, keys["other"] + ".pub")


def fingerprint(public):
    return subprocess.run(
        ["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True
    ).stdout.split()[1]


def test_a_file_may_hold_several_keys(tmp_path, keys):
    team = tmp_path / "team.pub"
    team.write_text("# the team\n\n" + read(keys["other"] + ".pub") + read(keys["ed25519"] + ".pub"))
    assert seal.verify(DATA, seal.sign(DATA, keys["ed25519"]), str(team)) == fingerprint(
        keys["ed25519"] + ".pub"
    )


def test_a_signature_made_for_something_else_is_refused(keys, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(DATA)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", keys["ed25519"], str(file)],
        check=True,
        capture_output=True,
    )
    with pytest.raises(Refused):
        seal.verify(DATA, (tmp_path / "data.sig").read_bytes(), keys["ed25519"] + ".pub")
    with pytest.raises(Refused):
        seal.verify(DATA, (tmp_path / "data.sig").read_bytes())


@pytest.mark.parametrize("signature", [b"", b"nonsense", b"-----BEGIN SSH SIGNATURE-----\n\xff\x1b[2J\n"])
def test_nonsense_is_no_signature(keys, signature):
    for key in (None, keys["ed25519"] + ".pub"):
        with pytest.raises(Refused) as refused:
            seal.verify(DATA, signature, key)
        assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense\n",
        "* ssh-ed25519 AAAA\n",
        "cert-authority ssh-ed25519 AAAA\n",
        "ssh-ed25519 AAAA\\\n* ssh-rsa BBBB\n",
    ],
)
def test_a_public_key_that_is_none_is_told(keys, tmp_path, text):
    file = tmp_path / "key.pub"
    file.write_text(text)
    for path in (str(file), keys["ed25519"]):
        with pytest.raises(BadUsage, match="is no SSH public key"):
            seal.verify(DATA, seal.sign(DATA, keys["ed25519"]), path)


def test_a_key_with_a_passphrase_signs_through_the_agent(keys, tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(NotReady, match="has a passphrase") as refused:
        seal.sign(DATA, keys["locked"])
    assert "ssh-add" in refused.value.next_step
    askpass = tmp_path / "askpass"
    askpass.write_text("#!/bin/sh\necho a passphrase\n")
    askpass.chmod(0o755)
    sock = str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.PIPE)
    try:
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", sock)
        subprocess.run(
            ["ssh-add", "-q", keys["locked"]],
            check=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"},
        )
        signature = seal.sign(DATA, keys["locked"] + ".pub")
    finally:
        agent.terminate()
        agent.wait()
        agent.stdout.close()
    assert seal.verify(DATA, signature, keys["locked"] + ".pub") == fingerprint(keys["locked"] + ".pub")


def test_a_key_that_cannot_sign_is_told(keys, tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    nonsense.chmod(0o600)
    alone = shutil.copy(keys["other"] + ".pub", tmp_path)  # neither the private half nor an agent is near
    for path, error in ((str(nonsense), NotReady), (alone, NotReady), (str(tmp_path / "none"), BadUsage)):
        with pytest.raises(error, match=path):
            seal.sign(DATA, path)


def test_a_missing_ssh_keygen_is_told(keys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for work in (lambda: seal.sign(DATA, keys["ed25519"]), lambda: seal.verify(DATA, b"x")):
        with pytest.raises(NotReady, match="ssh-keygen, which is not on the PATH"):
            work()


def test_nothing_secret_stands_on_a_command_line(keys, tmp_path, monkeypatch):
    arguments = tmp_path / "arguments"
    fake = tmp_path / "ssh-keygen"
    fake.write_text(f'#!/bin/sh\necho "$@" >>{arguments}\nexec {shutil.which("ssh-keygen")} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    seal.verify(DATA, seal.sign(DATA, keys["ed25519"]), keys["ed25519"] + ".pub")
    written = arguments.read_text()
    assert "-Y sign" in written and "-Y verify" in written
    assert "hunter2" not in written


# --- with bundles ------------------------------------------------------------------------------------


def test_a_signed_bundle_is_checked_against_a_key(keys, tmp_path):
    path, out = str(tmp_path / "a.rigger"), str(tmp_path / "out")
    pack.pack(path, [bundle_format.Member("vars", data=b"A=1\n")], {}, sign=seal.signer(keys["ed25519"]))
    ours, theirs = (seal.checker(keys[name] + ".pub") for name in ("ed25519", "other"))
    assert bundles_read.verify(path, check_signature=ours).signer == fingerprint(keys["ed25519"] + ".pub")
    assert bundles_read.verify(path).signer == fingerprint(keys["ed25519"] + ".pub")
    with pytest.raises(Refused, match="not valid by a key in"):
        bundles_read.extract(path, out, check_signature=theirs)
    assert os.listdir(tmp_path) == ["a.rigger"]
    bundles_read.extract(path, out, check_signature=ours)
    assert os.listdir(out) == ["vars"]


def test_a_bundle_without_a_signature_is_refused_when_there_has_to_be_one(keys, tmp_path):
    path = str(tmp_path / "a.rigger")
    pack.pack(path, [], {})
    assert bundles_read.verify(path, check_signature=seal.checker()).signer == ""
    with pytest.raises(Refused, match="not signed"):
        bundles_read.extract(
            path, str(tmp_path / "out"), check_signature=seal.checker(keys["ed25519"] + ".pub")
        )
    assert os.listdir(tmp_path) == ["a.rigger"]


def test_an_ed25519_key_in_pem_signs_and_verifies(tmp_path, keys):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    key, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    public.write_bytes(
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signature = seal.sign(DATA, str(key))
    assert seal.verify(DATA, signature, str(public)).startswith("SHA256:")
    with pytest.raises(Refused):
        seal.verify(DATA + b"x", signature, str(public))
    with pytest.raises(Refused):
        seal.verify(DATA, seal.sign(DATA, keys["other"]), str(public))
    key.write_text("-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----\n")
    with pytest.raises(NotReady):
        seal.sign(DATA, str(key))


WITHOUT_CRYPTOGRAPHY = """
import importlib, pkgutil, sys
sys.modules["cryptography"] = None
import rigger
for package in pkgutil.walk_packages(rigger.__path__, "rigger."):
    if not package.name.startswith(("rigger.libexec", "rigger.platforms", "rigger.scaffolds", "rigger.__main__")):
        importlib.import_module(package.name)
from rigger.bundles import read, seal
from rigger.cli.main import main
path, key, pem = sys.argv[1:]
print(read.verify(path, check_signature=seal.checker(key)).signer, file=sys.stderr)
sys.exit(main(["bundle", "verify", path, "--verify-key", pem]))
"""


def test_only_keys_in_pem_take_cryptography(tmp_path, keys):
    path, pem = str(tmp_path / "a.rigger"), tmp_path / "key.pem"
    pack.pack(path, [], {}, sign=seal.signer(keys["ed25519"]))
    pem.write_text("-----BEGIN PUBLIC KEY-----\nbm90aGluZw==\n-----END PUBLIC KEY-----\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_CRYPTOGRAPHY, path, keys["ed25519"] + ".pub", str(pem)],
        capture_output=True,
        text=True,
        env={**os.environ, "RIGGER_HOME": str(tmp_path / "home")},
    )
    signer, *said = done.stderr.splitlines()
    assert signer.startswith("SHA256:")
    assert said == [
        f"rigger: {pem} is in PEM form, which takes the Python package cryptography, and that is not installed.",
        '  Type "pip install cryptography", or give a key in OpenSSH\'s own form.',
    ]
    assert done.returncode == 4
