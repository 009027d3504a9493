"""The parts that all steps of the relay share: plans, policy, the client's side and refusals."""
