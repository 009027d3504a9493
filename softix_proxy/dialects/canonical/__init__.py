"""The canonical form of requests and answers, and what is lost on the way."""
