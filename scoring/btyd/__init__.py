"""Buy-till-you-die models: how often people buy, when they stop for good, how much they spend."""
