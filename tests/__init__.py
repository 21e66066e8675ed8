"""The tests of the package, the notebooks and the book."""
