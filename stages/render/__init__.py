"""What exactly will the loss be computed on? Turns exemplars into chat rows, each checked."""
