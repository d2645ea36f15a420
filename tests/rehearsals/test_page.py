"""The file and the page of a verdict: what is read is what was written, and nothing in it can act."""

import json
import os
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import jsonschema
from conftest import ROOT

from rigger.attestations.envelope import verify
from rigger.errors import StepFailed
from rigger.operations.rehearse import RehearsalResult
from rigger.operations.report import report_of
from rigger.rehearsals.model import GO, NO_GO, LeftOut, Mark, Rehearsed
from rigger.rehearsals.page import page
from rigger.rehearsals.signed import signed
from rigger.rehearsals.timeline import picture
from rigger.rehearsals.verdict import FILE, Subject, Verdict, files_of, read, rendered

MARKS = (
    Mark("command", "rigger upgrade --version 2", 0.0, 9.0, False),
    Mark("step", "backup", 0.5, 1.0),
    Mark("step", 'upgrade-<b>"&', 1.0, 8.0, False),
    Mark("fault", "member-killed on node-3", 4.0, 4.0, False),
)
BAD = Rehearsed(
    "killed",
    "a <member> is killed",
    NO_GO,
    "1 & 2",
    9.0,
    {"lost": "1"},
    {"ms": "1"},
    {"ms": "2"},
    marks=MARKS,
)
VERDICT = Verdict(
    Subject(
        "prod", "ab12", "tree", "1", "2", "graceful", "d" * 64, {"platform/tree": "e" * 64}, "", "1.0", "local", 3, 5,
        {"file": "/b", "sha256": "f" * 64, "time": "2026-11-28T11:00:00Z", "bytes": "7"},
    ),
    NO_GO,
    "it broke <script>alert(1)</script>",
    "2026-11-28T12:00:00Z",
    12.0,
    (BAD, Rehearsed("plain", "nothing goes wrong", GO, "well")),
    (LeftOut("disk-full", "the disk is full", "no root"),),
)  # fmt: skip


def test_what_is_read_is_what_was_written(tmp_path):
    folder = tmp_path / "20261128T120000Z-1-2"
    folder.mkdir()
    (folder / FILE).write_bytes(rendered(VERDICT))
    [path] = files_of(str(tmp_path))
    assert read(path) == VERDICT
    (folder / FILE).write_bytes(b'{"form": 1}')
    assert read(path) is None


def test_the_report_is_as_described():
    with open(os.path.join(ROOT, "docs", "shapes", "upgrade-rehearse.json")) as file:
        schema = json.load(file)
    report = json.loads(json.dumps(report_of(RehearsalResult(VERDICT, "/folder"), StepFailed("no go"))))
    jsonschema.validate(report, schema)
    assert {*report} == {*schema["properties"]}
    [first, _] = report["rehearsals"]
    items = schema["properties"]["rehearsals"]["items"]["properties"]
    assert {*first} == {*items} and {*first["marks"][0]} == {*items["marks"]["items"]["properties"]}


def test_a_signed_verdict_is_checked_with_the_public_key(tmp_path):
    key = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    data = signed(VERDICT, "a" * 64, key)
    found = verify(data, [f"{key}.pub"], "verdict")
    assert found.statement["subject"] == [{"name": FILE, "digest": {"sha256": "a" * 64}}]
    predicate = found.statement["predicate"]
    assert (predicate["result"], predicate["failedTests"], predicate["passedTests"]) == (
        "FAILED",
        ["killed"],
        ["plain"],
    )
    digests = {one["name"]: one["digest"] for one in predicate["configuration"]}
    assert digests == {
        "plan": {"sha256": "d" * 64},
        "platform/tree": {"sha256": "e" * 64},
        "data": {"sha256": "f" * 64},
    }


class Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.said, self.attributes = [], "", []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]

    def handle_data(self, data):
        self.said += f"{data}\n"


def test_a_page_says_all_of_it_and_asks_for_nothing():
    words = Words()
    words.feed(page(VERDICT))
    for said in (
        "it broke <script>alert(1)</script>",
        "A <member> is killed",
        "1 & 2",
        "the disk is full",
        "no root",
        "d" * 64,
    ):
        assert said in words.said
    assert not {"script", "link", "img", "iframe", "b"} & {*words.tags}
    assert not {"src", "href", "onload"} & {*words.attributes}
    assert words.tags.count("svg") == 1  # nothing is drawn of what nothing was seen of


def test_a_picture_is_svg_in_which_no_bar_leaves_the_frame():
    root = ElementTree.fromstring(picture(BAD))
    space = "{http://www.w3.org/2000/svg}"
    width = float(root.get("width"))
    bars = list(root.iter(f"{space}rect"))
    assert len(bars) == len(MARKS)
    assert all(
        0 <= float(bar.get("x")) and float(bar.get("x")) + float(bar.get("width")) <= width for bar in bars
    )
    titles = [title.text for title in root.iter(f"{space}title")]
    assert 'upgrade-<b>"&, 7.0 s, not good' in titles
