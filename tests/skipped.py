"""Exit 1 and name them if tests were skipped, going by JUnit reports: where all must run, none may be missing."""

import sys
from xml.etree import ElementTree


def skipped(report: str) -> list[str]:
    """Return every skipped test of a report, with the reason that it gave."""
    cases = ElementTree.parse(report).iter("testcase")
    found = [(case, case.find("skipped")) for case in cases]
    return [f"{c.get('classname')}.{c.get('name')}: {s.get('message')}" for c, s in found if s is not None]


if __name__ == "__main__":
    names = [name for report in sys.argv[1:] for name in skipped(report)]
    print("\n".join(["Skipped, where none may be:", *names]) if names else "No test was skipped.")
    sys.exit(1 if names else 0)
