"""The parts of the page Compare. Some load numpy, so the page imports them when it is shown first."""
