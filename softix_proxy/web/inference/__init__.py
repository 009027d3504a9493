"""The routes for models: requests, realtime sessions and stored objects, and the refusal of anything else."""
