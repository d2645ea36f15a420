"""Pictures as DOT and Mermaid: whatever names are in them, the drawing programs read them."""

import re
import shutil
import subprocess

import pytest

from rigger.picture import FAILED, RAN, WAITS, Box, Group, Picture, dot, mermaid

HOSTILE = [
    'a"];x->y[label="b', "back\\slash\\", "\\N \\G \\L", "<b>bold</b>", "`code`", "end", "a]b}c{d[e(f)g|h", "%%{init: {}}%%",
    "# ; --> :::", "&amp; #quot;", "line\nbreak", "\x1b[31mred\x00", "日本 é", "", "click n1 callback", "x" * 300,
]  # fmt: skip


def picture():
    boxes = [
        Box(text + str(number), (text, text), (RAN, FAILED, WAITS)[number % 3])
        for number, text in enumerate(HOSTILE)
    ]
    arrows = [(one.key, other.key) for one, other in zip(boxes, boxes[1:], strict=False)]
    return Picture(
        HOSTILE[0],
        tuple(Group(text, (box,)) for text, box in zip(HOSTILE, boxes, strict=True)),
        tuple(arrows),
    )


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not here")
def test_graphviz_reads_it_and_shows_every_name_as_it_is():
    done = subprocess.run(["dot", "-Tsvg"], input=dot(picture()).encode(), capture_output=True)
    assert done.returncode == 0 and done.stderr == b""
    assert (
        done.stdout.count(b'class="node"') == len(HOSTILE)
        and done.stdout.count(b'class="edge"') == len(HOSTILE) - 1
    )
    text = done.stdout.decode()
    assert "a&quot;];x&#45;&gt;y[label=&quot;b" in text and "back\\slash\\" in text and "\\N \\G \\L" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text and "日本 é" in text


LINE = re.compile(
    r"flowchart LR|\s*end|\s*subgraph \w+\[TEXT\]|\s+n\d+\[TEXT\]|  n\d+ --> n\d+"
    r"|  classDef \w+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#000000(,stroke-dasharray:4)?|  class n\d+(,n\d+)* \w+".replace(
        "TEXT", r'"(?:[\w .,()/:=?+-]|#\d+;|<br/>)+"'
    )
)


def test_mermaid_has_only_lines_that_its_grammar_has():
    lines = mermaid(picture()).split("\n")
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    depth = 0
    for line in lines:
        depth += line.strip().startswith("subgraph ") - (line.strip() == "end")
        assert depth >= 0
    assert depth == 0 and sum("-->" in line for line in lines) == len(HOSTILE) - 1
