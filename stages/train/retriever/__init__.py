"""The recipe `retriever`: a sentence encoder that ranks skills and finds examples."""
