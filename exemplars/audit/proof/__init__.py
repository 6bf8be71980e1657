"""The proof that conversations reach the tokens of a model as they were meant."""
