"""What an add-on needs from a network, made by the test: a file on loopback, a wheel, and Debian packages."""

import hashlib
import os
import shutil
import subprocess
import zipfile

from helpers.repositories import put
from rigger.offline import debian


def wheel(folder, name, version="1.0"):
    """Write a wheel with one module that says its name."""
    os.makedirs(folder, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f'print("{name} {version} was imported")\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, f"{name}-{version}-py3-none-any.whl"), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def package(folder, name, depends=""):
    """Build a Debian package with one file."""
    tree = os.path.join(folder, f"tree-{name}")
    control = (
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: t\n"
    )
    put(tree, "DEBIAN/control", control + (f"Depends: {depends}\n" if depends else ""))
    put(tree, f"opt/{name}", f"{name} is here\n")
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", tree, folder], check=True, capture_output=True
    )
    shutil.rmtree(tree)


class World:
    """A folder that is served on loopback, and the settings by which apt and pip know nothing else."""

    def __init__(self, folder, rigger):
        self.folder = str(folder)
        os.makedirs(self.folder)
        put(self.folder, "web/tool.tar", "a tool\n")
        self.sha256 = hashlib.sha256(b"a tool\n").hexdigest()
        wheel(os.path.join(self.folder, "wheels"), "seedling")
        debs = os.path.join(self.folder, "debs")
        os.makedirs(debs)
        package(debs, "rigger-test-tool", depends="rigger-test-data")
        package(debs, "rigger-test-data")
        debian.write_index(debs)
        debian.write_sources(debs, debs)
        put(
            self.folder,
            "apt.conf",
            f'Dir::Etc::SourceList "{debs}/sources.list";\nDir::Etc::SourceParts "-";\n',
        )
        rigger.env["APT_CONFIG"] = os.path.join(self.folder, "apt.conf")
        rigger.env["PIP_CONFIG_FILE"] = os.devnull
        rigger.env["PIP_NO_INDEX"] = "1"
        rigger.env["PIP_FIND_LINKS"] = os.path.join(self.folder, "wheels")

    def manifest(self, url):
        return (
            "version: 1.0\nrequirements:\n  files:\n"
            f"    - {{url: {url}/web/tool.tar, sha256: {self.sha256}}}\n"
            "  packages: {debian: [rigger-test-tool]}\n  python: [seedling==1.0]\n"
        )


APPLY = """
cat "$RIGGER_MIRROR"/files/*/tool.tar
"$RIGGER_PYTHON" -m pip install --quiet --no-index --find-links "$RIGGER_MIRROR/python" --target "$RIGGER_STATE_DIR/py" seedling
PYTHONPATH=$RIGGER_STATE_DIR/py "$RIGGER_PYTHON" -m seedling
mkdir -p "$RIGGER_STATE_DIR/apt/lists/partial" "$RIGGER_STATE_DIR/apt/archives/partial"
: >"$RIGGER_STATE_DIR/apt/status"
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$RIGGER_MIRROR/debian/sources.list" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User= \\
        -o Dir::State="$RIGGER_STATE_DIR/apt" -o Dir::State::status="$RIGGER_STATE_DIR/apt/status" \\
        -o Dir::Cache="$RIGGER_STATE_DIR/apt" -o Debug::NoLocking=1 "$@"
}
apt update
apt install --yes --download-only rigger-test-tool
for deb in "$RIGGER_MIRROR"/debian/*.deb; do dpkg-deb -x "$deb" "$RIGGER_STATE_DIR/root"; done
cat "$RIGGER_STATE_DIR"/root/opt/*
"""
