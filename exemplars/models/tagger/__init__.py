"""The tagger: one small encoder that says which skill an utterance asks for, and which words fill which parameter."""
