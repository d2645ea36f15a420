"""What rigger may cost: the aim of every row of `make bench`, and the limits that `.ci/run` holds, all in one place.

A limit is in millions of instructions of Python 3.11 on x86-64, which no noise touches; with another Python they are only shown.
Where rigger is above its aim today, the limit is what it costs today and a little, for other releases of what it imports.
"""

READING, FAST, STEPS = 2.7, 2.2, 2.4

# Ratios to a row's base, but where a unit is said. The groups are what `make bench ROWS=...` chooses from.
AIMS = {
    "version": 1.3,
    "help": 4.0,
    "tab": 3.0,
    "status": READING,
    "list": READING,
    "config get": READING,
    "provision --plan": READING,
    "config get --help": READING,
    "shellinit": FAST,
    "history": FAST,
    "use": FAST,
    "logs": FAST,
    "four steps": STEPS,
    "100,000 records, time": 5.0,  # ms
    "100,000 records, memory": 10.0,  # MB
    "600 questions": 15.0,  # ms
    "1,000 nodes": 3.0,
    "one command on 30 nodes": 1.1,
    "three commands on 30 nodes": 0.5,
    "a million lines, no secret": 1.4,
    "a million lines, three secrets": 2.0,
    "masking ten secrets": 600.0,  # MB/s, at least
    "save of 500 MB": 1.1,
    "save of 500 MB, ten secrets": 1.5,
    "save of 99,000 files": 4.0,
    "save of 99,000 files, memory": 150.0,  # MB
    "save of one file of 500 MB, memory": 150.0,  # MB
    "verified load": 1.1,
    "terraform, first": 2.0,
    "terraform, again": 1.5,
    "terraform, nothing to do": 1.2,
    "save-vars, 100 times": 2.0,
    "etcd, rigger's own seconds": 4.0,  # %
    "etcd, processes": 450.0,  # with USER set, as in a login; of a log for each process, as in one file they cut each other's lines
}

# Rows that miss their aim, where their time goes, and what the rest would take:
#
# terraform: `init` and `apply` by hand are 0.15 s of processor time. What rigger adds starts nothing but Terraform and the
# platform's three scripts: `init`, `plan` and `apply` the first time, one `plan` later (programs_started counts them). Its
# seconds were 0.85, 0.59 and 0.41 while each of its steps started a Python, and are 0.55, 0.41 and 0.33. 1.2 times the
# base is what a `plan` and an empty Python take together: it would take a rigger whose own start costs nothing.
#
# save with ten secrets: most of what it takes beyond packing is the search in what is encoded, quoted or compressed
# (redact/nested.py). On a busy machine a MiB of log takes 19 ms of processor time, of random bytes 88, of JSON with
# identifiers in hex 120: rows of digits are decoded in each way that they may begin, hex in two and base64 in four, and
# what comes out is searched again. Less would take a scanner outside of Python, or a second process, as threads share one.

# The Python and processor that imports.json and the instructions are of.
MEASURED = ((3, 11), "x86_64")

# Millions of instructions: command -> (the limit, the aim). Where they go, by callgrind's counts around each import:
#
# status, 147: 38 an empty Python; 29 the standard library (re with enum 12, contextlib with collections and functools 10,
# json 5); 57 some 110 modules of rigger, of which 18 are the import itself and 8 the making of classes (68,000 each, for
# Python too); 23 the command, of which patterns that are made ready are 5. 120 takes a hot path without `re` (32 of these
# modules have patterns; json has some of its own), or half as many modules.
#
# test four, 253: those, and 20 ctypes with subprocess, which brings locale, threading and selectors; 30 another 70 modules;
# 60 the run itself, 8 a step. 200 takes a start of scripts without subprocess, whose fork_exec is not public, and fewer modules.
INSTRUCTIONS = {
    "status": (156, 120),
    "test four": (270, 200),
}

# A plan over 100 modules and 1,000 nodes, in times the instructions of `status` of an empty environment: the limit, the aim.
#
# It is about 510 million, and 150 of them a plan of nothing. The rest, by time: 60 what the records came to, half of that JSON;
# 50 the nodes, checked, and part of two digests; 45 modules that were decoded before; 65 their names, questions, order and
# answers; 65 the digests of their files, and which scripts they have. Files are read every time: one can have the size and the
# time that it had, and other bytes. 3.0 takes nodes and records that no command makes into objects again.
HUNDRED_MODULES = (4.0, 3.0)
