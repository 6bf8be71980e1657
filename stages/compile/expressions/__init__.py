"""How people say numbers, times, dates, amounts and words: each kind found in a text with its readings."""
