"""Which of two answers is better: files of other tools, and judges who compare systems."""
