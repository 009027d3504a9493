"""The meters, price sheets and price versions, and the cost of quantities."""
