"""Images for tests: made of this machine's busybox, in seconds and without a network."""

import io
import os
import re
import shutil
import subprocess
import tarfile

import pytest

ARGUMENTS = "--ulimit nofile=1024:1024 --ulimit nproc=4096:4096"
PROGRAMS = (
    "cat",
    "echo",
    "env",
    "grep",
    "id",
    "ls",
    "mkdir",
    "rm",
    "sed",
    "sh",
    "sleep",
    "test",
    "touch",
    "tr",
)


def require():
    """Skip the test where there is no podman, or no busybox to fill an image with."""
    for program in ("podman", "busybox"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def arguments():
    """Return what `podman run` needs on this machine, as a person would set it."""
    runtime = ["--runtime", "runc"] if shutil.which("runc") else []
    return " ".join([*runtime, ARGUMENTS] if os.getuid() == 0 else runtime)


def podman(*words, code=0, **more):
    done = subprocess.run(["podman", *words], capture_output=True, text=True, timeout=120, **more)
    assert code is None or done.returncode == code, done.stderr
    return done.stdout.strip()


def make(name, script):
    """Make an image whose entry point is a shell script, and return its id."""
    content = _archive(script)
    subprocess.run(
        ["podman", "import", "--change", 'ENTRYPOINT ["/main"]', "-", name],
        input=content, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return f"sha256:{podman('image', 'inspect', '--format', '{{.Id}}', name)}"


def _archive(script):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        busybox = shutil.which("busybox")
        for path in (busybox, *_libraries(busybox)):
            _add(tar, "bin/busybox" if path == busybox else path.lstrip("/"), open(path, "rb").read())
        for program in PROGRAMS:
            link = tarfile.TarInfo(f"bin/{program}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        _add(tar, "main", ("#!/bin/sh\n" + script).encode())
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o777
        tar.addfile(folder)
    return file.getvalue()


def _libraries(program):
    said = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return re.findall(r"(/\S+)", said)


def _add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o755
    tar.addfile(info, io.BytesIO(data))
