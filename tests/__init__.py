"""Tests of UL Studio. A package, so that no other package named tests on the machine can take its place."""
