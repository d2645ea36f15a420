"""The JSON Schema of rigger.yml and what reads it agree: on what ships, and on 200 manifests that are made here."""

import json
import os
import random

import jsonschema
import yaml
from conftest import ROOT

from rigger.errors import Refused
from rigger.modules import contract, fields, manifest, verbs
from rigger.questions import model

SCHEMA = jsonschema.Draft202012Validator(fields.schema())


class AsEditorsRead(yaml.CSafeLoader):
    """YAML as a JSON Schema sees it: JSON has no dates."""


AsEditorsRead.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def verdicts(folder, text):
    """Return whether rigger takes a manifest, whether the schema does, and what was wrong."""
    folder.mkdir(exist_ok=True)
    (folder / contract.MANIFEST).write_text(text)
    said = ""
    try:
        manifest.load(str(folder))
    except Refused as refused:
        said = refused.message
    wrong = [error.message for error in SCHEMA.iter_errors(yaml.load(text, AsEditorsRead))]
    return not said, not wrong, f"{text}\nrigger: {said}\nschema: {wrong}"


class Maker:
    """Makes manifests that are valid, each with some of all fields."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def some(self, **fields):
        """Return some of the fields, each with a value made for it."""
        return {name.replace("_", "-"): make() for name, make in fields.items() if self.dice.random() < 0.5}

    def one(self, *values):
        return self.dice.choice(values)

    def text(self):
        return self.one(
            "words", "Which one?", "", "1.10", 1.1, 7, True, "{{ NODES }}", "a\nb", "2026-01-31", None
        )

    def name(self):
        return self.one("oak", "a", "x-1", "soil_2", 7, "0" * 63)

    def variable(self):
        return self.one("NODES", "REGION", "_x", "lower", "A1", "a" * 70)

    def variables(self):
        return sorted({self.variable() for _ in range(self.dice.randrange(4))})

    def flag(self):
        return self.one(True, False, "yes", "no", "true", "False")

    def integer(self):
        return self.one(0, -5, 12, "3", "-17", 10**18 - 1)

    def duration(self):
        return self.one("90s", "45m", "1h30m", "1h0m5s", "000001s")

    def texts(self, least=0):
        return [self.text() for _ in range(self.dice.randrange(least, 4))]

    def text_map(self):
        return {self.one("a", "b c", "kind"): self.text()}

    def variable_map(self):
        return {self.variable(): self.text()}

    def tool(self):
        named = {"name": "terraform", **self.some(minimum=self.text, remedy=self.text)}
        return self.one("git", "terraform>=1.5", "terraform >= 1.5", 7, named)

    def suite(self):
        tests = [self.one("put-get", "a.sh", "x_1", 9)]
        return self.one(tests, {"tests": tests, **self.some(description=self.text)})

    def upgrade(self):
        within = lambda: self.one("major", "minor")  # noqa: E731
        simple = self.some(description=self.text, within=within, minors=self.integer, since=self.text)
        return {**simple, **(self.stages() if self.flag() is True else {})}

    def stages(self):
        limit = lambda: self.one(0, 1.5, "3x", "3x + 20", "2.5x+0.5")  # noqa: E731
        stage = {
            "nodes": self.one(1, "25%", "100%"),
            **self.some(**{"for": self.duration, "pause": self.flag}),
        }
        judge = {
            "test": "load",
            "for": self.one("5s", "{{ A }}"),
            "at-most": {"lost": limit(), "ms": limit()},
        }
        return {
            "stages": [stage, {"nodes": self.one(3, "rest")}],
            **self.some(judge=lambda: judge, on_failure=lambda: self.one(*verbs.ON_FAILURE)),
        }

    def terraform(self):
        return self.some(
            minimum=self.text,
            variables=self.text_map,
            outputs=lambda: {"glazed": self.variable()},
            inventory=self.text,
            backends=lambda: {"s3": self.text_map()},
        )

    def question(self, number):
        kind = self.one(*model.TYPES)
        question = {"name": f"Q{number}", "type": kind}
        if kind in ("select", "checkbox"):
            question["choices"] = self.one(["a", 1], {"a": "first"}, {"command": "bin/list"})
        if kind == "secret" and self.flag() is True:
            question["generate"] = {"length": self.one(8, 32, 1024)}
        if kind == "secret":
            question |= self.some(copy=self.flag)
        return question | self.some(
            ask=self.text,
            help=self.text,
            default=self.text,
            when=self.text,
            check=self.text,
            env=self.variables,
            advanced=self.flag,
            optional=self.flag,
            keep=self.flag,
            make=lambda: self.one(*model.KEY_KINDS),
            pattern=lambda: self.one("[a-z]+", "x", 5),
            min=self.integer,
            max=self.integer,
            changes=lambda: self.one(*model.CHANGES),
        )

    def group(self):
        number = self.one(
            ("eq", 1), ("ne", 1), ("in", 2), ("notin", 1), ("exists", 0), ("absent", 0), (">=", 1), ("<", 1)
        )
        operator, count = number
        values = {"values": [self.one("2.10", 2.1, 3) for _ in range(count)]} if count else {}
        return [{"key": self.text(), "operator": operator, **values}]

    def requires(self):
        strong = lambda: [self.group(), {"any": [self.group(), self.group()]}]  # noqa: E731
        return self.some(strong=strong, weak=lambda: [self.group()])

    def requirements(self):
        file = {"url": "https://example.org/a", "sha256": "0f" * 32}
        return self.some(
            files=lambda: [file],
            packages=lambda: {"debian": ["jq"]},
            python=lambda: ["a==1.0"],
            images=lambda: ["example.org/a/b@sha256:" + "0a" * 32],
        )

    def manifest(self):
        head = {"interface": self.one(2, "2"), "name": self.name(), "role": self.one(*verbs.ROLES)}
        return head | self.some(
            description=self.text,
            labels=self.text_map,
            rigger=self.text,
            tools=lambda: [self.tool(), self.tool()],
            types=lambda: {"small": self.variable_map(), "large": self.variable_map()},
            questions=lambda: [self.question(number) for number in range(self.dice.randrange(4))],
            outputs=self.variables,
            timeouts=lambda: {"create": self.duration()},
            vars=self.variable_map,
            ready=lambda: self.one(0, "0s", self.duration()),
            suspend=lambda: self.one(*verbs.SUSPENDS),
            costs=lambda: self.one("prices.yml", "unknown"),
            terraform=self.terraform,
            prefix=self.variable,
            repository=self.text,
            versions=lambda: self.one("git-tags", ["3.5.0", 1.1]),
            version_pattern=lambda: self.one("3[.]5[.][0-9]+", 5),
            interfaces=lambda: {self.one(1, "2"): self.text()},
            suites=lambda: {"smoke": self.suite()},
            components=lambda: {"kv": self.suite()},
            upgrades=lambda: {self.name(): self.upgrade()},
            ports=lambda: [self.one(1, 80, "443", 65535)],
            ssh_agent=self.variables,
            version=lambda: self.one("1.10", 2, 1.5, "v1.0-rc1"),
            requires=self.requires,
            influences=lambda: [self.group()],
            needs=lambda: ["monitoring.targets", "brokers"],
            provides=lambda: ["brokers"],
            requirements=self.requirements,
            container=self.container,
        )

    def container(self):
        command = {
            "name": self.one("apply", "metadata", "get-it"),
            "description": self.text(),
            "command": self.text(),
            "args": [self.text(), 5, "{{ SIZE }}"],
            "envs": {"TF_LOG": self.text()},
        }
        return {
            "image": self.one(
                "busybox", "docker.io/library/busybox:1.36", "localhost:5000/a/b@sha256:" + "0" * 64
            ),
            "digest": "sha256:" + "0f" * 32,
            "workdir": self.one("/", "/work dir"),
            "mounts": ["/terraform", "/a/b"],
            "shared": "/shared",
            "commands": self.one([], [command], [{"name": "destroy"}]),
        }


def written(value):
    # Text that looks like a number stays text: yaml quotes it.
    return yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


VALID = [Maker(seed).manifest() for seed in range(100)]


def question(**words):
    return {"questions": [{"name": "COLOUR", **words}]}


# What one thing is put into a valid manifest to break it; None takes the field out.
BROKEN = [
    *({name: None} for name in ("interface", "name", "role")),
    *({"interface": value} for value in (3, "two", [2], None.__class__.__name__)),
    *({"name": value} for value in ("Upper", "../a", "", "a b", "x" * 64, ["a"])),
    *({"role": value} for value in ("galaxy", "Provider", 2, ["provider"])),
    *({name: "x"} for name in ("descripton", "version_pattern", "sshagent", "Name")),
    *({name: ["a"]} for name in ("description", "rigger", "repository", "prefix", "costs")),
    *({name: "words"} for name in ("labels", "tools", "types", "questions", "outputs", "timeouts", "versions")),
    *({name: ["a"]} for name in ("labels", "types", "suites", "upgrades", "terraform", "interfaces", "timeouts")),
    *({"tools": [value]} for value in ("a b", {"minimum": 1}, {"name": "x", "version": 1}, [["a"]], "x>=y")),
    *({"types": {"small": value}} for value in (["a"], "x", {"LD_PRELOAD": "x"}, {"1b": "x"}, {"PROVIDER": "x"})),
    *({"outputs": [value]} for value in ("A B", "PATH", "HOME", "OUTPUT", "RIGGER_X", "GIT_DIR", "", ["A"])),
    *({"timeouts": {"create": value}} for value in ("soon", "", "0s", "5", "1m1h", "1.5h", ["1h"])),
    *({"ready": value} for value in ("soon", "0m", ["1m"])),
    *({"suspend": value} for value in ("end", "")),
    *({"prefix": value} for value in ("a b", "LC_ALL", "VERSION")),
    *({"interfaces": value} for value in ({"one": "1"}, {"0": "1"}, {"1": ["a"]}, {"12345": "1"})),
    *({"suites": {"smoke": value}} for value in ([], ["../sh"], {}, {"tests": []}, {"tests": "a"}, "a", {"test": ["a"]})),
    *({"components": {"kv": value}} for value in ([""], {"tests": ["a b"]})),
    *({"upgrades": {"graceful": value}} for value in ({"within": "patch"}, {"minors": "few"}, {"from": 1}, "x", [1])),
    *({"upgrades": {name: {}}} for name in ("Graceful", "a b", "")),
    *({"upgrades": {"canary": {"stages": value}}} for value in ([], [{}], [{"nodes": 0}], [{"nodes": "101%"}], [{"nodes": "some"}],
        [{"nodes": 1, "for": "long"}], [{"nodes": 1, "pause": "later"}], [{"nodes": 1, "judge": "a"}])),
    *({"upgrades": {"canary": {"stages": [{"nodes": 1}], "judge": value}}} for value in ({"test": "a", "for": "5s"}, {"for": "5s"},
        {"test": "../a", "for": "5s", "at-most": {"a": 1}}, {"test": "a", "at-most": {"a": 1}}, {"test": "a", "for": "5s", "at-most": {}},
        {"test": "a", "for": "5s", "at-most": {"a b": 1}}, {"test": "a", "for": "5s", "at-least": {"a": "much"}})),
    *({"upgrades": {"canary": value}} for value in ({"judge": {"test": "a", "for": "5s", "at-most": {"a": 1}}}, {"on-failure": "stop"},
        {"stages": [{"nodes": 1}], "on-failure": "rolback"}, {"stages": [{"nodes": 1}], "rollback": "none", "on-failure": "rollback"})),
    *({"ports": [value]} for value in (0, 65536, -1, "http", "65536", [80])),
    *({"ssh-agent": value} for value in ("A", ["a-b"])),
    *({"terraform": value} for value in ({"version": 1}, {"outputs": {"a": "b c"}}, {"variables": ["a"]}, {"backends": {"s3": "x"}})),
    *({"container": {"image": "a", "commands": [], **value}} for value in (
        {"image": "-a"}, {"image": "a b"}, {"digest": "0f"}, {"workdir": "a"}, {"mounts": ["a"]}, {"mounts": ["/a:/b"]},
        {"shared": ""}, {"commands": {}}, {"commands": [{"command": "a"}]}, {"commands": [{"name": "A"}]},
        {"commands": [{"name": "a", "envs": {"PATH": "x"}}]}, {"commands": [{"name": "a", "envs": {"LD_PRELOAD": "x"}}]},
        {"commands": [{"name": "a", "args": "b"}]}, {"command": []})),
    *({"container": value} for value in ("a", {"image": "a"}, {"commands": []})),
    *({"version": value} for value in ("", "a b", "a@b", ["1"])),
    *({"requires": value} for value in ({"strng": []}, {"strong": [[]]}, {"strong": [{"any": []}]}, {"strong": [{"all": []}]}, [])),
    *({"influences": [[value]]} for value in (
        {"key": "a"}, {"operator": "exists"}, {"key": "a", "operator": "in,", "values": ["b"]}, {"key": "a", "operator": "eq"},
        {"key": "a", "operator": "eq", "values": ["b", "c"]}, {"key": "a", "operator": "in", "values": []},
        {"key": "a", "operator": "exists", "values": ["b"]}, {"key": "a", "operator": "eq", "value": ["b"]},
        {"key": "a", "operator": "==", "values": ["b"]}, {"key": "a", "operator": ">=", "values": ["1", "2"]})),
    *({name: [value]} for name in ("needs", "provides") for value in ("a b", "", "a..b", ["a"])),
    *({"requirements": value} for value in (
        {"file": []}, {"files": [{"url": "x"}]}, {"files": [{"url": "x", "sha256": "0"}]}, {"packages": {"debain": ["jq"]}},
        {"images": ["a:latest"]}, {"python": "a"})),
    *({"vars": value} for value in ({"a-b": "x"}, {"PS1": "x"}, ["A"])),
    *({"questions": value} for value in ({"a": "b"}, ["A"], [{"ask": "x?"}], [{"name": "A"}, {"name": "PATH"}])),
    *(question(type=value) for value in ("txt", "Text", "select", "checkbox", ["text"])),
    *(question(type="secret", generate=value) for value in ({}, {"length": 7}, {"length": 1025}, {"size": 9}, "32")),
    question(generate={"length": 32}),
    question(type="text", generate={"length": 32}),
    *(question(type="select", choices=value) for value in ([], {}, "a", [["a"]])),
    *(question(**{name: "maybe"}) for name in ("advanced", "optional", "keep", "make", "changes")),
    *(question(**{name: "few"}) for name in ("min", "max", "env", "defualt")),
    *(question(**{name: ["a"]}) for name in ("ask", "help", "default", "when", "check", "pattern", "min")),
    *(question(env=[value]) for value in ("B C", "BASH_ENV")),
]  # fmt: skip


def broken():
    """Break a valid manifest in one way, each way once."""
    for seed, change in enumerate(BROKEN):
        text = VALID[seed % len(VALID)]
        yield written(
            {
                name: value
                for name, value in {**text, **change}.items()
                if name not in change or value is not None
            }
        )


def test_there_are_200_of_them_and_they_use_every_field():
    assert len(VALID) + len(BROKEN) >= 200
    used = {name for text in VALID for name in text}
    assert used == {entry.name for entry in fields.FIELDS}
    asked = {name for text in VALID for one in text.get("questions", []) for name in one}
    assert asked == {entry.name for entry in fields.QUESTION_FIELDS}


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(fields.schema())


def test_what_rigger_takes_the_schema_takes(tmp_path):
    for text in map(written, VALID):
        rigger, schema, why = verdicts(tmp_path / "module", text)
        assert (rigger, schema) == (True, True), why


def test_what_rigger_refuses_the_schema_refuses(tmp_path):
    for text in broken():
        rigger, schema, why = verdicts(tmp_path / "module", text)
        assert (rigger, schema) == (False, False), why


def test_the_modules_that_ship_match():
    for folder in ("providers", "rigger/platforms", "rigger/scaffolds"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            path = os.path.join(ROOT, folder, name, contract.MANIFEST)
            if os.path.isfile(path) and "scaffolds" not in path:
                with open(path) as file:
                    problems = [error.message for error in SCHEMA.iter_errors(yaml.load(file, AsEditorsRead))]
                assert not problems, path


def test_the_command_prints_it(rigger):
    assert json.loads(rigger("module", "schema").out) == fields.schema()


def test_every_field_says_what_it_is_for():
    for entry in [*fields.FIELDS, *(one for record in fields.RECORDS.values() for one in record)]:
        assert entry.words.endswith("."), entry.name
    described = fields.schema()["properties"]
    assert described["ports"]["description"].endswith("(of a platform)")
