"""Modules that a test writes to spoil them."""

from rigger.conformance import rules, subject
from rigger.modules import scaffold


class Written:
    """A scaffolded module that a test spoils."""

    def __init__(self, role, folder, tool=""):
        self.folder = folder
        scaffold.write(role, folder.name, str(folder), tool)

    def replace(self, name, old, new):
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def script(self, name, body, mode=0o755, shebang="#!/bin/sh\n"):
        header = "# Summary: A test's.\n# Needs: nothing\n# Writes: nothing\n"
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((shebang + header + body).encode())
        path.chmod(mode)

    def add(self, text):
        with open(self.folder / "rigger.yml", "a") as file:
            file.write(text)

    def question(self, text):
        self.replace("rigger.yml", "questions:\n", f"questions:\n  - {text}\n")

    def findings(self, level):
        module = subject.load(subject.locate(str(self.folder)))
        found = rules.examine(module)
        return [f"{f.place}: {f.text}" for f in found if f.level == level]

    def fails(self):
        return self.findings("FAIL")

    def advice(self):
        return self.findings("ADVICE")


def old(folder, **scripts):
    """Write a provider of interface 1."""
    folder.mkdir(parents=True)
    for name, (text, mode) in scripts.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
        path.chmod(mode)
    return str(folder)
