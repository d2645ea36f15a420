"""The add-ons that ship with rigger: a folder of scripts each."""
