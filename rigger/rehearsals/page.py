"""A verdict as a page of HTML: one file that asks for nothing from anywhere."""

from __future__ import annotations

import html

from rigger.rehearsals.timeline import picture
from rigger.text import duration, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rigger.rehearsals.model import Rehearsed
    from rigger.rehearsals.verdict import Subject, Verdict

STYLE = """
body { font-family: sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #222; background: #fff; }
.go { color: #2e7d32; } .no-go { color: #b3261e; } .inconclusive { color: #b35c00; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; }
th, td { text-align: left; padding: 0.15em 1em 0.15em 0; vertical-align: top; }
th { font-weight: normal; color: #555; } svg { max-width: 100%; height: auto; }
code { overflow-wrap: anywhere; } h2 { margin-top: 2em; }
"""
# What a figure is called where its own name says too little; others go by their own.
FIGURES = {
    "acknowledged": "writes that were acknowledged",
    "lost": "of them lost",
    "duplicated": "written twice",
    "longest_gap_seconds": "longest time without one, in seconds",
}


def page(verdict: Verdict) -> str:
    """Return the page of a verdict."""
    subject = verdict.subject
    title = f"{subject.environment}: {subject.platform} {subject.start} to {subject.to}, rehearsed"
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(title)}</h1>",
        f'<p><strong class="{verdict.verdict}">{_text(verdict.verdict)}</strong>: {_text(verdict.reason)}.</p>',
        _table(_about(verdict, subject)),
        *(_section(done) for done in verdict.rehearsals),
    ]
    if verdict.left_out:
        rows = ((one.title, one.reason) for one in verdict.left_out)
        parts.append(f"<h2>Not rehearsed</h2>{_table(rows)}")
    return "\n".join([*parts, "</body></html>\n"])


def _about(verdict: Verdict, subject: Subject) -> Iterable[tuple[str, str]]:
    yield "when", f"{verdict.time}, in {duration(verdict.seconds)}"
    yield "upgrade", f"{subject.platform} from {subject.start} to {subject.to}, {subject.style}"
    yield (
        "copy",
        f"{subject.nodes} nodes of {subject.provider}; {subject.environment} has {subject.nodes_there}",
    )
    data = subject.data
    if data:
        yield "data", f"{data['file']}, of {data['time']}, {data['bytes']} bytes, SHA-256 {data['sha256']}"
    else:
        yield "data", "none: the platform makes no backups"
    yield "plan", subject.plan
    if subject.commit:
        yield "commit", subject.commit
    for name, sha256 in subject.scripts.items():
        yield f"scripts of {name}", f"SHA-256 {sha256}"
    yield "rigger", subject.rigger


def _section(done: Rehearsed) -> str:
    rows = [(FIGURES.get(name, name.replace("_", " ")), value) for name, value in done.figures.items()]
    for name in done.before.keys() & done.after.keys():
        rows.append(
            (f"{name.replace('_', ' ')}, before and after", f"{done.before[name]}, {done.after[name]}")
        )
    if done.data:
        same = (
            "as in the backup"
            if done.data == done.data_after
            else f"{_said(done.data)}; after: {_said(done.data_after)}"
        )
        rows.append(("data", same))
    if done.logs:
        rows.append(("what was printed", f"{done.logs}, beside this page"))
    return (
        f"<h2>{_text(done.title[0].upper() + done.title[1:])}</h2>"
        f'<p><strong class="{done.verdict}">{_text(done.verdict)}</strong>: {_text(done.reason)}, '
        f"after {duration(done.seconds)}.</p>{picture(done)}{_table(sorted(rows))}"
    )


def _said(figures: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items()) or "unknown"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{_text(name)}</th><td><code>{_text(value)}</code></td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _text(words: str) -> str:
    return html.escape(visible(words))
