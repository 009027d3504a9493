"""What clients ask of models: requests, realtime sessions, stored objects, and why anything else is refused."""
