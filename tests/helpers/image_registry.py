"""A registry of container images on loopback, from Debian's docker-registry, and an image with one file in it."""

import contextlib
import hashlib
import io
import json
import os
import socket
import subprocess
import tarfile
import time

from helpers.repositories import put


@contextlib.contextmanager
def registry(folder):
    """Run a registry; gives HOST:PORT."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = (
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    put(str(folder), "registry.yml", settings)
    with open(os.path.join(folder, "registry.log"), "w") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", os.path.join(folder, "registry.yml")], stdout=log, stderr=log
        )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(tuple(address.split(":")), 1):
                break
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def push(folder, address, name, docker=False, labels=None):
    """Push an image with one file, in Docker's own format if that is said; return its digest."""
    blobs = os.path.join(folder, "image", "blobs", "sha256")
    os.makedirs(blobs)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        member = tarfile.TarInfo("hello")
        member.size = 6
        tar.addfile(member, io.BytesIO(b"hello\n"))
    diff = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": labels or {}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
    }
    kinds = ("image.config.v1+json", "image.layer.v1.tar", "image.manifest.v1+json")

    def keep(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": f"application/vnd.oci.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    parts = [keep(json.dumps(config).encode(), kinds[0]), keep(layer.getvalue(), kinds[1])]
    manifest = {"schemaVersion": 2, "config": parts[0], "layers": parts[1:]}
    entry = keep(json.dumps(manifest).encode(), kinds[2])
    put(os.path.join(folder, "image"), "index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    put(os.path.join(folder, "image"), "oci-layout", '{"imageLayoutVersion": "1.0.0"}')
    digests = os.path.join(folder, "digest")
    words = ["--format", "v2s2"] if docker else []
    subprocess.run(
        [
            *("skopeo", "copy", "--quiet", *words, "--dest-tls-verify=false", "--digestfile", digests),
            *(f"oci:{folder}/image", f"docker://{address}/{name}:1"),
        ],
        check=True,
        capture_output=True,
    )
    with open(digests) as file:
        return file.read().strip()
