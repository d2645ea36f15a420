"""What `rigger provider new` and `rigger platform new` write; SCAFFOLD_... stand for the module's own words."""
