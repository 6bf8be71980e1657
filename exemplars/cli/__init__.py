"""The `exemplars` command: one thin module per subcommand."""
