"""What the licenses of sources require, and which of them clash within a split. Not legal advice."""
