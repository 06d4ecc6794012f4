"""The page Compare as observable state: inputs, candidates, both noise ladders, what was found, how it is looked at."""
