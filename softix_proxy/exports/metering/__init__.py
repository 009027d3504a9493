"""The exports of usage rows and summaries."""
