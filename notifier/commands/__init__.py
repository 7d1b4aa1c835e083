"""The command line, a room for each group of commands. A command imports what it needs, so that `--help` is quick."""
