"""Stand-ins for the product's edges, used by the demo and by the tests as real peers."""
