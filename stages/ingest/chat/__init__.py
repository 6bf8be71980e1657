"""Tool-call conversations in the dialects that people have them in: one form for all."""
