"""NLU data: utterances with intents and entities, as Rasa, Snips, Dialogflow and other tools write them.

docs/formats/nlu.md says which parts are read.
"""

from stages.ingest.nlu.source import read_nlu_source

__all__ = ["read_nlu_source"]
