"""Tests of fault codes and of the numbers that rules and the model see."""
