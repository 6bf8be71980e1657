"""The recipe `lsr`: a retriever learns from a language model which examples help it (REPLUG, Shi et al. 2023)."""
