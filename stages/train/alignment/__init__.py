"""Alignment: training on preferences (`dpo`, `kto`, `reward`) and on rewards (`rloo`), by TRL's trainers."""
