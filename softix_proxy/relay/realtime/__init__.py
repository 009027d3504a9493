"""Realtime sessions: many responses over one connection."""
