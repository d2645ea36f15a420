"""The verbs: one file, one command, one function."""
