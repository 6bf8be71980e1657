"""What did the author write, and where? One module or package a source format."""
