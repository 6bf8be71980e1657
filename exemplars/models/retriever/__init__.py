"""The retriever: which skills an utterance may ask for, and which train rows are like it."""
