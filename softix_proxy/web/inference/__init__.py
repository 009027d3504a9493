"""The requests that clients make of models: requests, realtime sessions, stored objects, and refusals of anything
else.
"""
