"""What did the author write, and where? One module or package per source format."""
