"""What a manifest says, and what is said about one that is wrong."""

import os
import textwrap

import pytest

from rigger import kept
from rigger.errors import Refused
from rigger.modules import decode, scripts, search, verbs
from rigger.modules import manifest as modules_manifest

HEAD = "interface: 2\nname: soil\nrole: provider\n"


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest and return its module's folder."""
    folder = tmp_path / "soil"
    folder.mkdir()

    def write(content):
        data = content if isinstance(content, bytes) else textwrap.dedent(content).encode()
        (folder / "rigger.yml").write_bytes(data)
        return str(folder)

    return write


def test_every_field(manifest):
    module = modules_manifest.load(
        manifest("""\
        interface: 2
        rigger: ">=1.0"
        name: hetzner
        role: provider
        description: Machines on Hetzner Cloud, made by Terraform
        labels: {kind: infrastructure, provider: hetzner}
        tools: [sh, "terraform>=1.5", {name: hcloud, minimum: "1.40", remedy: ask for it}]
        types:
          development: {NODES: 3, SERVER_TYPE: cx22}
          production: {NODES: 5, SERVER_TYPE: cx42}
        questions:
          - name: HCLOUD_TOKEN
            ask: Which API token should I use?
            help: Console > Security > API tokens
            type: secret
            check: bin/check-token
            env: [HCLOUD_API]
          - name: REGION
            type: select
            choices: {command: bin/list-regions}
            default: "{{ LAST_REGION | default('fsn1') }}"
            when: "{{ HCLOUD_TOKEN is defined }}"
            advanced: true
            changes: replace
          - {name: SIZE, type: select, choices: {s: small, l: large}}
          - {name: KIND, type: checkbox, choices: [a, b]}
          - {name: COUNT, type: integer, min: 1, max: 9, default: 3, changes: none}
          - {name: LABEL, pattern: "[a-z]+", optional: yes}
        outputs: [DEISCTL_TUNNEL]
        timeouts: {create: 45m, destroy: 1h30m, check: 90s}
        """)
    )
    assert (module.name, module.role, module.description[:8]) == ("hetzner", "provider", "Machines")
    assert module.labels == {"kind": "infrastructure", "provider": "hetzner"}
    assert [(t.name, t.minimum, t.remedy) for t in module.tools] == [
        ("sh", "", ""), ("terraform", "1.5", ""), ("hcloud", "1.40", "ask for it"),
    ]  # fmt: skip
    assert module.types["production"] == {"NODES": "5", "SERVER_TYPE": "cx42"}
    token, region, size, kind, count, label = module.questions
    assert (
        token.secret
        and token.check == "bin/check-token"
        and token.env == ("HCLOUD_API",)
        and token.changes == "create"
    )
    assert (
        region.choices_command == "bin/list-regions"
        and region.advanced
        and region.changes == "replace"
        and region.when
    )
    assert [(c.value, c.description) for c in size.choices] == [("s", "small"), ("l", "large")]
    assert [c.value for c in kind.choices] == ["a", "b"]
    assert (count.min, count.max, count.default, count.changes) == (1, 9, "3", "none")
    assert label.pattern == "[a-z]+" and label.optional and label.ask == "LABEL?"
    assert module.outputs == ("DEISCTL_TUNNEL",)
    assert (module.timeout("create"), module.timeout("destroy"), module.timeout("check")) == (2700, 5400, 90)
    assert module.timeout("install") == 3600


def test_the_fields_of_a_platform(manifest):
    module = modules_manifest.load(
        manifest("""\
        interface: 2
        name: my-tree
        role: platform
        versions: [1.9, 1.10, 2.0]
        version-pattern: "3\\\\.[0-9]+"
        questions: [{name: COLOUR}]
        timeouts: {test: 5m, tests/slow: 1h}
        suites:
          smoke: {description: the first look, tests: [grows]}
        components:
          leaf: {tests: [grows, falls]}
        """)
    )
    assert module.versions == ("1.9", "1.10", "2.0")
    assert module.prefix == "MY_TREE" and module.version_pattern == "3\\.[0-9]+"
    assert module.questions[0].changes == "deploy"
    assert module.suites["smoke"].tests == ("grows",) and module.components["leaf"].tests == (
        "grows",
        "falls",
    )
    assert (module.timeout("tests/grows"), module.timeout("tests/slow")) == (300, 3600)


def test_scalars_stay_as_they_are_written(manifest):
    module = modules_manifest.load(
        manifest(
            HEAD
            + "types: {a: {A: 1.10, B: no, C: 010, D: 1e3, E: null, F: 2020-01-01, G: 'x', H: 1_000, I: 0x10, J: ~}}\n"
        )
    )
    assert list(module.types["a"].values()) == [
        "1.10",
        "no",
        "010",
        "1e3",
        "null",
        "2020-01-01",
        "x",
        "1_000",
        "0x10",
        "~",
    ]


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ("colour: red", 4, "colour: there is no such field"),
        ("tols: [git]", 4, "tols: there is no such field (did you mean tools?)"),
        ("description: [a]", 4, "description: must be a single value"),
        ("labels: words", 4, "labels: must be a map of names to values"),
        ("labels: {a: {b: c}}", 4, "labels.a: must be a single value"),
        ("tools: git", 4, "tools: must be a list"),
        ("tools:\n  - git\n  - 'git; reboot'", 6, "tools[1]: 'git; reboot' is not a tool"),
        ("tools: [{remedy: x}]", 4, "tools[0]: the field 'name' is missing"),
        ("tools: [{name: x, version: 1}]", 4, "tools[0].version: there is no such field"),
        ("types: {a: {1b: x}}", 4, "'1b' is not a name"),
        ("types: {a: {LD_PRELOAD: x}}", 4, "'LD_PRELOAD' is read by the dynamic loader"),
        ("questions: {a: b}", 4, "questions: must be a list"),
        ("questions:\n  - ask: x?", 5, "questions[0]: the field 'name' is missing"),
        ("questions:\n  - {name: PATH}", 5, "questions[0].name: 'PATH'"),
        ("questions:\n  - {name: HOME}", 5, "questions[0].name: 'HOME'"),
        ("questions:\n  - {name: OUTPUT}", 5, "'OUTPUT' cannot be given as RIGGER_OUTPUT"),
        ("questions:\n  - {name: a-b}", 5, "questions[0].name: 'a-b'"),
        ("questions:\n  - {name: A}\n  - {name: A}", 6, "A is asked twice"),
        ("questions:\n  - {name: A, type: txt}", 5, "questions[0].type: 'txt' is not one of text, integer"),
        ("questions:\n  - {name: A, type: select}", 5, "A is a select without choices"),
        ("questions:\n  - {name: A, type: select, choices: []}", 5, "A is a select without choices"),
        (
            "questions:\n  - {name: A, changes: everything}",
            5,
            "questions[0].changes: 'everything' is not one of none, install",
        ),
        (
            "questions:\n  - {name: A, advanced: maybe}",
            5,
            "questions[0].advanced: 'maybe' is neither true nor false",
        ),
        ("questions:\n  - {name: A, min: few}", 5, "questions[0].min: 'few' is not a whole number"),
        (
            "questions:\n  - {name: A, pattern: '['}",
            5,
            "questions[0].pattern: '[' is not a regular expression",
        ),
        ("questions:\n  - {name: A, env: [B C]}", 5, "questions[0].env[0]: 'B C'"),
        ("questions:\n  - {name: A, default: [1]}", 5, "questions[0].default: must be a single value"),
        (
            "questions:\n  - {name: A, defualt: 1}",
            5,
            "questions[0].defualt: there is no such field (did you mean default?)",
        ),
        ("questions:\n  - A", 5, "questions[0]: must be a map"),
        ("outputs: [A B]", 4, "outputs[0]: 'A B'"),
        ("timeouts: {create: soon}", 4, "timeouts.create: 'soon' is not a duration such as 90s"),
        ("timeouts: {create: ''}", 4, "timeouts.create: '' is not a duration"),
        ("timeouts: {create: 0s}", 4, "timeouts.create: '0s' is not a duration"),
        ("prefix: a b", 4, "prefix: 'a b'"),
        ("suites: {smoke: {tests: []}}", 4, "suites.smoke: lists no tests"),
        ("suites: {smoke: {tests: [../../bin/sh]}}", 4, "'../../bin/sh' is not the name of a file in tests/"),
        ("description: a\ndescription: b", 5, "description: is given twice"),
        ("labels: {a: 1, a: 2}", 4, "labels.a: is given twice"),
        ('description: "a\\0b"', 4, "description: must not hold a NUL byte"),
        ("description: 'open", 5, ""),
        ("description: &a [*b]", 4, ""),
        ("\tdescription: x", 4, ""),
        ("description: !!python/object/apply:os.system [touch pwned]", 4, "must be a single value"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_is_wrong_is_said_with_file_line_and_field(manifest, lines, line, said):
    folder = manifest(HEAD + lines + "\n")
    with pytest.raises(Refused) as refused:
        modules_manifest.load(folder)
    assert refused.value.exit_code == 9
    assert refused.value.message.startswith(f"{folder}/rigger.yml, line {line}:"), refused.value.message
    assert said in refused.value.message
    assert refused.value.next_step
    assert not os.path.exists("pwned")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("# only words\n", "is empty"),
        ("- a\n- b\n", "must be a map"),
        ("words\n", "must be a map"),
        ("name: a\nrole: provider\n", "the field 'interface' is missing"),
        ("interface: 2\nrole: provider\n", "the field 'name' is missing"),
        ("interface: 2\nname: a\n", "the field 'role' is missing"),
        ("interface: 3\nname: a\nrole: provider\n", "interface 3 is not one that this rigger speaks (2)"),
        ("interface: 3\nrigger: '2.5'\nname: a\nrole: galaxy\n", "rigger 2.5 knows it"),
        ("interface: two\nname: a\nrole: provider\n", "'two' is not a whole number"),
        ("interface: 2\nname: ../a\nrole: provider\n", "'../a' is not a name"),
        ("interface: 2\nname: Upper\nrole: provider\n", "'Upper' is not a name"),
        ("interface: 2\nname: a\nrole: plattform\n", "did you mean platform?"),
        (b"interface: 2\nname: \xff\n", "is not UTF-8"),
        (b"a: " + b"x" * (1 << 20), "is larger than"),
        (b"a: " + b"[" * 500000, ""),
        ("a: &a [x]\n" + "".join(f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)), "too large or too deep"),
        ("a: &a [*a]\n", "too large or too deep"),
        ("interface: 2\n---\ninterface: 2\n", ""),
        ("? [a, b]\n: c\n", "must be a single value"),
        ("interface: [2]\n", "interface: must be a single value"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(manifest, content, said):
    folder = manifest(content)
    with pytest.raises(Refused) as refused:
        modules_manifest.load(folder)
    assert refused.value.message.startswith(f"{folder}/rigger.yml") and said in refused.value.message
    assert len(refused.value.message) < 1000


# Where modules are looked for


def test_a_manifest_that_became_wrong_is_refused_and_destroys_nothing(rigger, modules):
    folder = modules.write("provider", "soil")
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "soil")
    rigger("provision")
    with open(os.path.join(folder, "rigger.yml"), "a") as file:
        file.write("colour: red\n")
    for command in (["provision"], ["destroy", "--yes"], ["status"], ["check"], ["config", "set", "TYPE=x"]):
        assert "line 4: colour" in rigger(*command, code=9).err


@pytest.mark.parametrize("role", ["provider", "platform"])
def test_the_modules_that_ship_are_valid(role, tmp_path):
    for name in search.folders(role, str(tmp_path)):
        module = search.find(role, name, str(tmp_path))
        assert module.name == name and module.description
        for verb in verbs.REQUIRED[role]:
            assert scripts.script_problem(module.script(verb)) is None, (name, verb)


# Everything that is there, for a list


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("versions: tags", "must be a list"),
        ("interfaces: {one: 1.0}", "not the number of an interface"),
        ("interfaces: [1]", "must be a map"),
        ("repository: [a]", "must"),
        ("questions: [{name: CHECKOUT}]", "rigger's own"),
        ("questions: [{name: REF}]", "rigger's own"),
    ],
)
def test_fields_about_repositories_are_checked(modules, line, said):
    with pytest.raises(Refused) as refused:
        modules_manifest.load(modules.write("platform", "oak", line + "\n"))
    assert said in refused.value.message


def test_fields_about_repositories(modules):
    module = modules_manifest.load(
        modules.write(
            "platform", "oak", "repository: /srv/oak\nversions: git-tags\ninterfaces: {1: 1.11.0}\n"
        )
    )
    assert (module.repository, module.git_tags, module.versions) == ("/srv/oak", True, ())
    assert module.interfaces == {1: "1.11.0"}


@pytest.mark.parametrize("verb", ["suspend", "resume", "leaving"])
def test_a_script_that_a_module_need_not_have_is_looked_at_too(modules, verb):
    folder = modules.write("provider", "sand")
    module = modules_manifest.load(folder)
    assert module.script_problems() == []
    with open(os.path.join(folder, verb), "w", encoding="utf-8") as script:
        script.write("#!/bin/sh\n")
    assert module.script_problems() == [f"{os.path.join(folder, verb)} is not executable"]


# What was decoded once


def as_it_is(module):
    """Return all that a module is, as text; its contract is the same wherever its class is."""
    return f"{ {**vars(module), 'contract': type(module.contract)} }"


@pytest.fixture
def decoded(monkeypatch):
    """The manifests that were decoded."""
    found, usual = [], decode.decode
    monkeypatch.setattr(decode, "decode", lambda data, path: found.append(path) or usual(data, path))
    return found


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "manifests"


OAK = HEAD + "labels: {colour: red}\nquestions: [{name: SIZE, type: secret, default: a}]\n"


@pytest.fixture
def soil(manifest, cache, decoded):
    """Decode a manifest once; return its folder."""
    folder = manifest(OAK)
    modules_manifest.load(folder, str(cache))
    decoded.clear()
    return folder


@pytest.mark.parametrize("role", ["provider", "platform", "addon"])
def test_a_module_that_was_decoded_once_is_the_same_as_before(role, tmp_path, cache, decoded):
    for folder in search.folders(role, str(tmp_path)).values():
        first = modules_manifest.load(folder, str(cache))
        assert decoded == [f"{folder}/rigger.yml"]
        again = modules_manifest.load(folder, str(cache))
        assert as_it_is(again) == as_it_is(first) == as_it_is(modules_manifest.load(folder))
        decoded.clear()


def test_there_is_one_private_file_for_each_module(soil, manifest, cache):
    manifest(OAK + "# changed\n")
    modules_manifest.load(soil, str(cache))
    (file,) = cache.iterdir()
    assert (file.stat().st_mode & 0o777, cache.stat().st_mode & 0o777) == (0o600, 0o700)


def same_size_and_time(path):
    """One byte is another, and nothing tells but that byte: `touch -d` gave the old time back."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(file.read().index(b"red"))
        file.write(b"rad")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert os.stat(path).st_mtime_ns == status.st_mtime_ns and os.stat(path).st_size == status.st_size


def another_in_its_place(path):
    status = os.stat(path)
    with open(path) as old, open(f"{path}.new", "w") as new:
        new.write(old.read().replace("red", "rad"))
    os.utime(f"{path}.new", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(f"{path}.new", path)


def a_link_to_another(path):
    another_in_its_place(path)
    os.rename(path, f"{path}.real")
    os.symlink(f"{path}.real", path)


def mapped_and_written(path):
    """By a program that writes through a mapping: the time may be set much later."""
    import mmap

    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        place = memory.find(b"red")
        memory[place : place + 3] = b"rad"


CHANGES = (same_size_and_time, another_in_its_place, a_link_to_another, mapped_and_written)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_byte_is_seen_at_once(soil, cache, decoded, change):
    change(f"{soil}/rigger.yml")
    assert modules_manifest.load(soil, str(cache)).labels == {"colour": "rad"}
    assert modules_manifest.load(soil, str(cache)).labels == {"colour": "rad"} and len(decoded) == 1


def test_a_manifest_that_is_gone_or_became_wrong_is_refused(soil, manifest, cache):
    manifest(OAK + "colour: red\n")
    for _ in range(2):
        with pytest.raises(Refused, match="there is no such field"):
            modules_manifest.load(soil, str(cache))
    os.unlink(f"{soil}/rigger.yml")
    with pytest.raises(Refused, match="cannot be read: No such file"):
        modules_manifest.load(soil, str(cache))


def test_a_module_that_was_moved_lies_where_it_is(soil, cache):
    other = f"{soil}-moved"
    os.rename(soil, other)
    module = modules_manifest.load(other, str(cache))
    assert (module.folder, module.questions[0].folder) == (other, other)
    assert module.questions[0].origin == f"{other}/rigger.yml, SIZE"


SPOILED = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "another value": lambda data: data.replace(b'"SIZE"', b'"SUZE"'),
    "what an older rigger kept": lambda data: (
        b'["mapping", 1, [[["scalar", 1, "name"], ["scalar", 1, "oak"]]]]'
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_was_kept_and_is_spoiled_does_not_count(soil, cache, decoded, how):
    (file,) = cache.iterdir()
    file.write_bytes(SPOILED[how](file.read_bytes()))
    for _ in range(2):
        assert modules_manifest.load(soil, str(cache)).questions[0].name == "SIZE"
    assert len(decoded) == 1


def test_what_others_may_have_written_does_not_count(soil, cache, decoded):
    (file,) = cache.iterdir()
    file.chmod(0o666)
    modules_manifest.load(soil, str(cache))
    assert len(decoded) == 1 and file.stat().st_mode & 0o777 == 0o600


def test_what_is_kept_of_another_module_does_not_count(soil, cache, tmp_path, decoded):
    """Somebody copied the file of one module over that of another whose manifest says the same."""
    other = tmp_path / "clay"
    other.mkdir()
    (other / "rigger.yml").write_text(OAK)
    (own,) = cache.iterdir()
    modules_manifest.load(str(other), str(cache))
    (file,) = {*cache.iterdir()} - {own}
    file.write_bytes(own.read_bytes())
    assert modules_manifest.load(str(other), str(cache)).folder == str(other)


def test_what_a_killed_process_left_half_written_is_swept(soil, manifest, cache):
    left = cache / f".{'a' * 64}.json.{2**22 + 1}-{'b' * 12}.tmp"  # of a process that there cannot be
    left.write_text("{")
    os.utime(left, (0, 0))
    modules_manifest.load(manifest(OAK + "# changed\n"), str(cache))
    assert not left.exists()


def test_what_an_older_rigger_decoded_does_not_count(soil, cache, decoded, monkeypatch):
    monkeypatch.setattr(kept, "code", lambda rooms: "another")
    modules_manifest.load(soil, str(cache))
    modules_manifest.load(soil, str(cache))
    assert len(decoded) == 1


def test_no_home_is_made_for_the_sake_of_a_cache(manifest, tmp_path):
    modules_manifest.load(manifest(OAK), str(tmp_path / "home" / "cache" / "manifests"))
    assert not os.path.exists(tmp_path / "home")


def test_what_cannot_be_kept_is_decoded_all_the_same(manifest, tmp_path, cache):
    cache.touch()
    assert modules_manifest.load(manifest(OAK), str(cache)).name == "soil"


def test_a_command_sees_a_changed_byte_at_once(rigger, modules):
    folder = modules.write("provider", "soil", "questions: [{name: COLOUR, default: red}]\n")
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "soil")
    for change in (lambda path: None, same_size_and_time):
        change(os.path.join(folder, "rigger.yml"))
        expected = "rad" if change is same_size_and_time else "red"
        for _ in range(2):
            assert rigger("config", "get", "COLOUR").out == f"{expected}\n"


def test_no_secret_is_kept(rigger, modules):
    modules.write("provider", "soil", "questions: [{name: TOKEN, type: secret}]\n")
    chosen = ("--name", "a", "--platform", "noop", "--provider", "soil")
    rigger("configure", "--defaults", *chosen, "--set", "TOKEN=jd8-Kw2.pLx41")
    rigger("provision")
    rigger("status")
    found = [
        os.path.join(parent, name) for parent, _, names in os.walk(rigger.path("cache")) for name in names
    ]
    assert [path for path in found if "manifests" in path]
    for path in found:
        with open(path, "rb") as file:
            assert b"jd8-Kw2.pLx41" not in file.read(), path
