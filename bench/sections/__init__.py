"""One module for each question; each has `run`, which gives its rows."""
