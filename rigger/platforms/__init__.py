"""The platforms that ship with rigger: a folder of scripts each."""
