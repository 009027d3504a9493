"""What every capability stands on: errors, time, money, ids."""
