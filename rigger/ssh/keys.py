"""SSH keys on this machine: found, or made."""

from __future__ import annotations

import os

from rigger.errors import NotReady, StepFailed
from rigger.process import capture

BITS = {"rsa": "4096"}  # ssh-keygen's own default for RSA is shorter
MAKING = 120.0  # seconds; a large RSA key takes a while on a small machine


def private_keys(folder: str = "~/.ssh") -> list[str]:
    """Return the private SSH keys in a folder, told by their content; unreadable files are passed over."""
    folder = os.path.expanduser(folder)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [path for path in (os.path.join(folder, name) for name in names) if _is_private_key(path)]


def _is_private_key(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return b"PRIVATE KEY" in file.read(200)
    except OSError:
        return False


def make(kind: str, folder: str = "~/.ssh") -> str:
    """Make a key without a passphrase and return its path; raises NotReady. No file is ever overwritten."""
    folder = os.path.expanduser(folder)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as problem:
        raise NotReady(f"{folder} cannot be made: {problem.strerror}.", "Make it, then try again.") from None
    path = _free(os.path.join(folder, f"rigger-{kind}"))
    size = ["-b", BITS[kind]] if kind in BITS else []
    comment = f"rigger@{os.uname().nodename}"
    try:
        done = capture.capture(
            ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", comment, "-f", path], timeout=MAKING
        )
    except StepFailed as problem:
        raise NotReady(problem.message, "Install OpenSSH's client, then try again.") from None
    if done.exit_code or not os.path.isfile(path):
        complaint = (done.errors or done.output).decode("utf-8", "replace").strip().splitlines() or [
            "it failed"
        ]
        raise NotReady(f"ssh-keygen made no key {path}: {complaint[-1]}.", f"Make one: ssh-keygen -t {kind}")
    os.chmod(path, 0o600)
    return path


def needs_passphrase(key: str) -> bool:
    """Return whether a private key is there, and cannot be read without a passphrase; raises NotReady.

    ssh-keygen has one exit code for all that can be wrong with a key: here alone is looked at what it says.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}
    try:
        done = capture.capture(
            ["ssh-keygen", "-y", "-P", "", "-f", key], env={**environ, "LC_ALL": "C"}, timeout=30.0
        )
    except StepFailed as problem:
        raise NotReady(problem.message, "Install OpenSSH's client, then try again.") from None
    return done.exit_code != 0 and b"passphrase" in done.errors.lower()


def _free(stem: str) -> str:
    """Return a path that neither a key nor a public key has: ssh-keygen would ask, or replace it."""
    path, number = stem, 2
    while os.path.lexists(path) or os.path.lexists(f"{path}.pub"):
        path, number = f"{stem}-{number}", number + 1
    return path
