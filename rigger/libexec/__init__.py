"""The small programs that a script finds on its PATH."""
