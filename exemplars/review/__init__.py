"""The page on which people decide about rows, and look at all of them."""
